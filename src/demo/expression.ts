/** The parts of a face that move: eyes, brows, mouth. */
import type { Canvas, Colour } from './canvas.ts'
import { shadowOf } from './head.ts'
import { type Identity, mix } from './identity.ts'
import type { Nuisance } from './nuisance.ts'
import { ellipse, intersection, type Shape, stroke } from './shapes.ts'

const EYE_WHITE: Colour = [244, 242, 238]
const PUPIL: Colour = [18, 14, 14]
const MOUTH_INSIDE: Colour = [74, 22, 24]
const TEETH: Colour = [242, 238, 228]

export function paintEyes(canvas: Canvas, identity: Identity, nuisance: Nuisance): void {
	for (const side of [-1, 1]) paintEye(canvas, identity, nuisance, side)
}

function paintEye(canvas: Canvas, identity: Identity, { yaw, eyeOpen, gaze }: Nuisance, side: number): void {
	const { skin, iris, eyeSpacing, eyeWidth, eyeSlant } = identity
	const x = side * eyeSpacing + yaw * 1.5
	const height = identity.eyeHeight * eyeOpen
	const straight = ellipse(x, 0, eyeWidth, height)
	const rise = side * eyeSlant
	const opening: Shape = { ...straight, cover: (u, v, softness) => straight.cover(u, v - rise * (u - x), softness) }
	const radius = Math.min(identity.eyeHeight * 0.95, eyeWidth * 0.62)
	canvas.paint(opening, EYE_WHITE)
	canvas.paint(intersection(opening, ellipse(x + gaze, 0, radius, radius)), iris)
	canvas.paint(intersection(opening, ellipse(x + gaze, 0, radius * 0.5, radius * 0.5)), PUPIL)
	canvas.paint(ellipse(x + gaze + 0.6, -0.6, 0.45, 0.45), [255, 255, 255], { alpha: 0.8 })
	const lid = { length: eyeWidth + 0.5, slope: rise }
	canvas.paint(stroke(x, 0, { ...lid, thickness: 0.65, arch: height }), mix(shadowOf(skin), [24, 14, 12], 0.7))
	canvas.paint(stroke(x, 0.3, { ...lid, thickness: 0.35, arch: -height }), shadowOf(skin), { alpha: 0.6 })
}

export function paintBrows(canvas: Canvas, identity: Identity, { yaw, browRaise }: Nuisance): void {
	const { hair, skin, eyeSpacing, browHeight, browThickness, browLength, browArch, browSlope } = identity
	// White or blond brows still show: they are darker than the hair and never lighter than the skin's shadow.
	const colour = mix(mix(hair, [20, 14, 12], 0.3), shadowOf(skin), 0.25)
	for (const side of [-1, 1]) {
		const brow = stroke(side * (eyeSpacing + 0.3) + yaw * 1.6, -browHeight - browRaise + 1, {
			length: browLength,
			thickness: browThickness,
			arch: browArch,
			slope: side * browSlope,
		})
		canvas.paint(brow, colour, { alpha: 0.92 })
	}
}

export function paintMouth(canvas: Canvas, identity: Identity, { yaw, smile, mouthOpen }: Nuisance): void {
	const { skin, lips, mouthHeight, lipThickness } = identity
	const width = identity.mouthWidth * (1 + 0.1 * smile)
	const x = yaw * 1.7
	// The corners go up by as much as the middle goes down.
	const y = mouthHeight - smile * 0.5
	const arch = -smile * 1.5
	const upper = stroke(x, y - lipThickness * 0.5 - mouthOpen * 0.5, {
		length: width,
		thickness: lipThickness * 0.75,
		arch,
	})
	const lower = stroke(x, y + lipThickness * 0.5 + mouthOpen, {
		length: width * 0.86,
		thickness: lipThickness,
		arch: arch - mouthOpen * 0.5,
	})
	canvas.paint(ellipse(x, y + lipThickness + mouthOpen * 1.6 + 2.1, width * 0.6, 0.9), shadowOf(skin), {
		alpha: 0.35,
		softness: 2,
	})
	canvas.paint(lower, mix(lips, [255, 210, 200], 0.14))
	canvas.paint(upper, mix(lips, [60, 20, 24], 0.14))
	const inside = stroke(x, y + mouthOpen * 0.25, { length: width * 0.84, thickness: 0.4 + mouthOpen * 0.8, arch })
	canvas.paint(inside, MOUTH_INSIDE, { alpha: 0.9 })
	if (mouthOpen < 0.4) return
	const teeth = stroke(x, y - mouthOpen * 0.1, { length: width * 0.7, thickness: mouthOpen * 0.45, arch })
	canvas.paint(teeth, TEETH)
}
