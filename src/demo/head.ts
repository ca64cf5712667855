/** The parts of a face that carry no expression: neck, ears, skull, nose. */
import type { Canvas, Colour } from './canvas.ts'
import { type Identity, mix } from './identity.ts'
import type { Nuisance } from './nuisance.ts'
import { ellipse, implicit, moved, type Shape, square, stroke } from './shapes.ts'

/** From the eyes up to the top of the skull. */
export const SKULL_HEIGHT = 19

/** The widest place of the head lies this far below the eyes. */
const CHEEK = 4

/** The outline's field rises by at most 0.14 a pixel to the side and 0.2 downwards, for the smallest head of all. */
const STEEPEST = 0.3

/** The shadow colour of a skin: darker and a little redder. */
export function shadowOf([r, g, b]: Colour): Colour {
	return [r * 0.7, g * 0.62, b * 0.6]
}

/** The outline of the head without hair, `grow` pixels larger all around. */
export function headShape({ headWidth, chin, jaw }: Identity, grow = 0): Shape {
	const width = headWidth + grow
	const up = SKULL_HEIGHT + CHEEK + grow
	const down = chin - CHEEK + grow
	function field(x: number, y: number): number {
		const t = y < CHEEK ? (CHEEK - y) / up : (y - CHEEK) / down
		const round = t * t
		// A pointed chin follows an ellipse that is narrowed on the way down, a square one bulges like a fourth power.
		const bulge = y < CHEEK ? round : round * (1.28 - 0.6 * jaw + (0.6 * jaw - 0.28) * round)
		return square(x / width) + bulge - 1
	}
	const box = { left: -width, right: width, top: CHEEK - up, bottom: CHEEK + down + 1 }
	return implicit(field, box, STEEPEST)
}

/** Shoulders and neck, behind the head. */
export function paintNeck(canvas: Canvas, { skin, chin, headWidth }: Identity, { yaw, clothes }: Nuisance): void {
	const half = headWidth * 0.56
	// The collar is a shallow bow.
	const field = (x: number, y: number) => Math.max(Math.abs(x) - half, y - chin - 4 + square(x) / 40)
	const neck = implicit(field, { left: -half, right: half, top: chin - 12, bottom: chin + 4 })
	canvas.paint(ellipse(-yaw * 0.5, 41, 27, 41 - chin - 1.5), clothes)
	canvas.paint(moved(neck, -yaw * 0.5), shadowOf(skin))
}

export function paintEars(canvas: Canvas, { skin, headWidth, earSize }: Identity, { yaw }: Nuisance): void {
	for (const side of [-1, 1]) {
		const x = side * (headWidth + 0.4) - yaw * 1.2
		canvas.paint(ellipse(x, 3.5, earSize * 0.62, earSize), mix(skin, shadowOf(skin), 0.2))
		canvas.paint(ellipse(x, 3.5, earSize * 0.3, earSize * 0.6), shadowOf(skin), { alpha: 0.6 })
	}
}

/** The bare head, with a blush on the cheeks and hollows at the eyes. */
export function paintHead(canvas: Canvas, identity: Identity, { yaw }: Nuisance): void {
	const { skin, eyeSpacing, headWidth, chin } = identity
	const blush: Colour = [skin[0], skin[1] * 0.72, skin[2] * 0.72]
	canvas.paint(headShape(identity), skin)
	for (const side of [-1, 1]) {
		const socket = ellipse(side * eyeSpacing + yaw * 1.4, -0.6, 5, 3.6)
		canvas.paint(socket, shadowOf(skin), { alpha: 0.3, softness: 5 })
		const cheek = ellipse(side * headWidth * 0.56 + yaw * 1.5, 9.5, 4, 3)
		canvas.paint(cheek, blush, { alpha: 0.35, softness: 5 })
	}
	canvas.paint(ellipse(yaw * 1.5, chin - 3.2, 5, 2), mix(skin, [255, 244, 232], 0.5), { alpha: 0.3, softness: 4 })
}

/** The nose: a lit ridge, a shaded flank away from the light, a tip and two nostrils. */
export function paintNose(canvas: Canvas, { skin, noseLength, noseWidth }: Identity, { yaw, lightX }: Nuisance): void {
	const shadow = shadowOf(skin)
	const tip = yaw * 2.4
	const away = lightX > 0 ? -1 : 1
	canvas.paint(ellipse(tip * 0.7 + away * noseWidth * 0.55, noseLength * 0.55, 1.1, noseLength * 0.5), shadow, {
		alpha: 0.42,
		softness: 2,
	})
	canvas.paint(ellipse(tip, noseLength - 0.4, noseWidth, 1.9), mix(skin, shadow, 0.22), { softness: 1.6 })
	canvas.paint(ellipse(tip * 0.8, noseLength * 0.55, 0.9, noseLength * 0.5), mix(skin, [255, 246, 236], 0.55), {
		alpha: 0.5,
		softness: 2,
	})
	canvas.paint(stroke(tip, noseLength + 1.2, { length: noseWidth, thickness: 0.6, arch: -0.6 }), shadow, { alpha: 0.8 })
	for (const side of [-1, 1]) {
		const nostril = ellipse(tip + side * noseWidth * 0.5, noseLength + 0.8, 0.85, 0.6)
		canvas.paint(nostril, mix(shadow, [30, 12, 10], 0.6), { alpha: 0.85 })
	}
}
