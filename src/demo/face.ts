/** Draws one picture of one person: from the background to the noise of the camera. */
import { Canvas, CHANNELS, HEIGHT, IMAGE_SIZE, WIDTH } from './canvas.ts'
import { paintBrows, paintEyes, paintMouth } from './expression.ts'
import { paintBackHair, paintBeard, paintHair } from './hair.ts'
import { paintEars, paintHead, paintNeck, paintNose } from './head.ts'
import type { Identity } from './identity.ts'
import type { Nuisance } from './nuisance.ts'
import { clamp01 } from './shapes.ts'

/** One image, `[55, 47, 3]` RGB, 0..255. The same arguments give the same bytes on every machine. */
export function drawFace(identity: Identity, nuisance: Nuisance): Uint8Array {
	const canvas = new Canvas(nuisance.pose)
	fillBackground(canvas, nuisance)
	paintBackHair(canvas, identity, nuisance)
	paintNeck(canvas, identity, nuisance)
	paintEars(canvas, identity, nuisance)
	paintHead(canvas, identity, nuisance)
	paintBeard(canvas, identity, nuisance)
	paintNose(canvas, identity, nuisance)
	paintMouth(canvas, identity, nuisance)
	paintEyes(canvas, identity, nuisance)
	paintBrows(canvas, identity, nuisance)
	paintHair(canvas, identity, nuisance)
	shine(canvas, nuisance)
	return develop(canvas, nuisance)
}

/** A wall whose colour changes from the upper left to the lower right. */
function fillBackground({ pixels }: Canvas, { background: [from, to] }: Nuisance): void {
	for (let i = 0; i < HEIGHT * WIDTH; i++) {
		const column = i % WIDTH
		const share = (column / WIDTH + (i - column) / (WIDTH * HEIGHT)) / 2
		for (let c = 0; c < CHANNELS; c++) pixels[i * CHANNELS + c] = from[c]! + (to[c]! - from[c]!) * share
	}
}

/** Lights the head as if it were an egg, by Lambert's law, and the background not at all. */
function shine({ pixels, covered, xs, ys }: Canvas, { lightX, lightY, brightness, warmth }: Nuisance): void {
	const tint = [brightness * (1 + warmth), brightness, brightness * (1 - warmth)]
	for (let i = 0; i < covered.length; i++) {
		const nx = xs[i]! / 20
		const ny = (ys[i]! - 3) / 29
		const nz = Math.sqrt(1 - 0.9 * clamp01(nx * nx + ny * ny))
		const light = 0.6 + 0.42 * nz + 0.24 * nx * lightX + 0.2 * ny * lightY
		const factor = 1 + (light - 1) * covered[i]!
		for (let c = 0; c < CHANNELS; c++) pixels[i * CHANNELS + c]! *= factor * tint[c]!
	}
}

/** Adds the noise, one part shared by the three colours and one of each, and rounds to bytes. */
function develop({ pixels }: Canvas, { noise, grain }: Nuisance): Uint8Array {
	const bytes = new Uint8Array(IMAGE_SIZE)
	let shared = 0
	for (let at = 0; at < IMAGE_SIZE; at++) {
		if (at % CHANNELS === 0) shared = grain.between(-noise, noise)
		const value = Math.floor(pixels[at]! + 0.7 * shared + grain.between(-noise, noise) * 0.3 + 0.5)
		bytes[at] = Math.min(255, Math.max(0, value))
	}
	return bytes
}
