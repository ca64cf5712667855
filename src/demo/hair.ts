/** Hair: what hangs behind the head, what lies over it, and beards. */
import type { Canvas, PaintOptions } from './canvas.ts'
import { headShape, SKULL_HEIGHT } from './head.ts'
import { hasLongHair, type Identity, mix } from './identity.ts'
import type { Nuisance } from './nuisance.ts'
import { clip, ellipse, implicit, moved, type Shape, square, stroke, wave } from './shapes.ts'

/** Hair behind head and neck: long hair and the ball of an afro. */
export function paintBackHair(canvas: Canvas, identity: Identity, { yaw }: Nuisance): void {
	const { hair, hairStyle } = identity
	const options = { tone: strands(identity) }
	const dark = mix(hair, [10, 8, 8], 0.25)
	if (hasLongHair(hairStyle)) canvas.paint(moved(curtain(identity), -yaw), dark, options)
	if (hairStyle === 'afro') canvas.paint(moved(ball(identity), -yaw), hair, options)
}

/** Hair over the skull, down to the hairline. Bald heads get a gleam instead. */
export function paintHair(canvas: Canvas, identity: Identity, { yaw }: Nuisance): void {
	const { hair, hairStyle, hairVolume } = identity
	if (hairStyle === 'bald') {
		canvas.paint(ellipse(yaw * 1.5, -14, 5, 2.4), [255, 250, 244], { alpha: 0.3, softness: 4 })
		return
	}
	const hairline = hairlineOf(identity)
	const outline = hairStyle === 'afro' ? ball(identity) : headShape(identity, hairVolume)
	const cap = clip(outline, (x, y) => y - hairline(x))
	canvas.paint(moved(cap, yaw * 0.7), hair, { tone: strands(identity) })
}

/** The y of the hairline at each x: hair covers what lies above it. */
function hairlineOf({ hairStyle, hairline, part, headWidth, chin }: Identity): (x: number) => number {
	// 0 in the middle, 1 at the sides of the head: where the hair comes down before the ears.
	const side = (x: number) => square(x / headWidth)
	const temple = (x: number, from: number, depth: number) => Math.max(0, side(x) - from) * depth
	switch (hairStyle) {
		case 'bald':
			return () => -2 * SKULL_HEIGHT
		case 'crop':
			return (x) => -hairline + temple(x, 0.55, 22)
		case 'receding':
			return (x) => -hairline - 4 - side(x) * 6 + temple(x, 0.6, 50)
		case 'fringe':
			return (x) => -hairline * 0.55 + 1.2 * wave(x / 6) * 0.5 + temple(x, 0.7, 24)
		case 'parted':
			return (x) =>
				-hairline - 2 + Math.abs(x - part * 5) * (part * (x - part * 5) > 0 ? 0.75 : 0.42) + temple(x, 0.6, 14)
		case 'quiff':
			return (x) => -hairline - 1.5 + part * x * 0.22 + temple(x, 0.72, 26)
		case 'afro':
			return (x) => -hairline - 1 + temple(x, 0.5, 20)
		case 'bob':
			return (x) => -hairline + temple(x, 0.42, 34) + (side(x) > 0.85 ? chin : 0)
		case 'long':
			return (x) => -hairline - 3 + Math.abs(x) * 0.5 + temple(x, 0.5, 44)
	}
}

/** Hair that hangs to the jaw (bob) or out of the picture (long). */
function curtain({ hairStyle, headWidth, hairVolume, chin }: Identity): Shape {
	const length = hairStyle === 'bob' ? chin - 5 : 40
	const width = headWidth + hairVolume + 0.8
	const top = -SKULL_HEIGHT - hairVolume
	// Round above the ears, then straight down, slightly wider towards the ends.
	function field(x: number, y: number): number {
		const round = y < 0 ? square(y / top) : 0
		return square(x / (width + Math.max(0, y) * 0.05)) + round - 1
	}
	const box = { left: -width - 2, right: width + 2, top, bottom: length }
	return clip(implicit(field, box), (_, y) => y - length)
}

/** The ball of an afro, with a bumpy edge. */
function ball({ headWidth, hairVolume }: Identity): Shape {
	const [a, b] = [headWidth + 2 + hairVolume, SKULL_HEIGHT + hairVolume]
	const bumps = (x: number, y: number) => 0.06 * wave((x + y) / 7) * wave((x - y) / 7)
	const field = (x: number, y: number) => square(x / a) + square((y + 4) / b) - 1 + bumps(x, y)
	return implicit(field, { left: -a - 1, right: a + 1, top: -b - 5, bottom: b - 3 })
}

/** Light and dark along the hair: curls for an afro, fine strands for all others. */
function strands({ hairStyle, part }: Identity): NonNullable<PaintOptions['tone']> {
	if (hairStyle === 'afro') return (x, y) => 1 + 0.2 * wave((x + 1.4 * y) / 5.3) * wave((1.3 * x - y) / 6.1)
	return (x, y) => 1.02 + 0.12 * wave((x * (1 + (y + 20) * 0.012) + part * y * 0.25) / 4.2) - 0.004 * y
}

/** The beard, under the mouth that is painted after it. */
export function paintBeard(canvas: Canvas, identity: Identity, { yaw, mouthOpen }: Nuisance): void {
	const { hair, beard, mouthHeight, mouthWidth, noseLength, lipThickness, chin } = identity
	const colour = mix(hair, [30, 22, 20], 0.2)
	const x = yaw * 1.6
	const cheeks = (u: number, v: number) => mouthHeight - 4 - square(u / 9) * 3 - v
	if (beard === 'full' || beard === 'stubble') {
		const shadow = clip(headShape(identity, beard === 'full' ? 1 : 0), cheeks)
		canvas.paint(shadow, colour, { alpha: beard === 'full' ? 0.94 : 0.32, softness: 2, tone: strands(identity) })
	}
	if (beard === 'goatee') {
		const goatee = ellipse(x, (mouthHeight + chin) / 2 + 1.2 + mouthOpen, mouthWidth * 0.75, (chin - mouthHeight) / 2)
		canvas.paint(goatee, colour, { alpha: 0.92 })
	}
	if (beard === 'moustache' || beard === 'goatee') {
		const middle = (noseLength + 1.6 + mouthHeight - lipThickness) / 2
		const moustache = stroke(x, middle + 0.6, { length: mouthWidth + 0.8, thickness: 1.5, arch: 0.9 })
		canvas.paint(moustache, colour, { alpha: 0.94 })
	}
}
