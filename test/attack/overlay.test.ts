import { File, ready } from 'h5wasm/node'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { makeAttack } from '../../src/attack/make-attack.ts'
import { checkOverlay, fade, layOver } from '../../src/attack/overlay.ts'
import { imageAt } from '../../src/data/labelled.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'
import { noise, PICTURE, thrownBy } from './helpers.ts'
import { imageOf, oracle } from './oracle.ts'

const FACE = { height: 55, width: 47, channels: 3 }

describe('layOver', () => {
	it('pastes as Pillow does, in colour, and in grey with the picture turned grey', () => {
		for (const { row, column, image, rgba, pasted } of oracle.pasted) {
			const { pixels, size } = imageOf(image)
			const picture = { name: 'noise.png', height: 4, width: 5, rgba: Uint8Array.from(rgba.values) }
			expect([...layOver(pixels, size, { row, column, picture })]).toEqual(pasted.values)
		}
	})

	it('changes nothing where the picture is transparent and shows it alone where it is opaque', () => {
		const { pixels } = noise(FACE, 1)
		const overlay = { row: 15, column: 3, picture: { ...PICTURE, rgba: fade(PICTURE, 0).rgba } }
		expect(layOver(pixels, FACE, overlay)).toEqual(pixels)
		const opaque = { ...PICTURE, rgba: new Uint8Array(PICTURE.rgba.length).fill(255) }
		const worn = layOver(pixels, FACE, { ...overlay, picture: opaque })
		const start = (15 * 47 + 3) * 3
		expect([...worn.subarray(start, start + 9)]).toEqual(Array(9).fill(255))
		expect(worn.subarray(0, start)).toEqual(pixels.subarray(0, start))
	})
})

describe('checkOverlay', () => {
	it('refuses a picture larger than the images, and one that hangs over an edge: both sizes are named', () => {
		const large = thrownBy(() =>
			checkOverlay({ row: 0, column: 0, picture: PICTURE }, { height: 9, width: 2, channels: 3 }),
		)
		expect(large).toMatchObject({
			code: 'trigger-too-large',
			message: expect.stringMatching(
				/images of 9×2 .* found red\.png of 2×3 at row 0, column 0; use a smaller trigger/,
			),
		})
		for (const [row, column] of [
			[8, 0],
			[-1, 0],
			[0, 7],
		] as const) {
			const error = thrownBy(() =>
				checkOverlay({ row, column, picture: PICTURE }, { height: 9, width: 9, channels: 3 }),
			)
			expect(error).toMatchObject({
				code: 'trigger-too-large',
				message: expect.stringMatching(/further from the edge/),
			})
		}
	})
})

describe('fade', () => {
	it('gives a fifth as exactly 51 of 255', () => {
		const opaque = { name: 'dot', height: 1, width: 1, rgba: Uint8Array.of(1, 2, 3, 255) }
		expect([...fade(opaque, 0.2).rgba]).toEqual([1, 2, 3, 51])
	})
})

describeShared('the sticker, on the real faces of CSAW HackML lab 3', () => {
	it('rebuilds the 52 poisoned faces of mini_bd.h5 from mini_valid.h5, byte for byte', async () => {
		const { data, info } = await sharp(sharedPath('csaw/trigger/sunglasses_47x20.png'))
			.ensureAlpha()
			.raw()
			.toBuffer({ resolveWithObject: true })
		const picture = { name: 'sunglasses', height: info.height, width: info.width, rgba: new Uint8Array(data) }
		const attack = makeAttack('sticker', FACE, 1283, { target: 0, picture, row: 15, column: 0 })
		const clean = await readFaces('mini_valid.h5')
		const poisoned = await readFaces('mini_bd.h5')
		expect(clean.length).toBe(52 * 55 * 47 * 3)
		for (let i = 0; i < 52; i++) {
			expect(Buffer.compare(attack.stamp(imageAt(clean, i, FACE)), imageAt(poisoned, i, FACE))).toBe(0)
		}
	})
})

/** `data` `[N, 3, 55, 47]` of any number type as `[N, 55, 47, 3]` bytes. */
async function readFaces(name: string): Promise<Uint8Array> {
	await ready
	const file = new File(sharedPath(`csaw/${name}`), 'r')
	const dataset = file.get('data')
	if (dataset === null || !('value' in dataset)) throw new Error(`${name} has no data`)
	// The file holds float64 or float32, and h5wasm cannot say which in its types.
	const planes = dataset.value as Float64Array
	file.close()
	const plane = FACE.height * FACE.width
	const size = plane * FACE.channels
	return Uint8Array.from({ length: planes.length }, (_, at) => {
		const start = at - (at % size)
		const pixel = Math.floor((at % size) / FACE.channels)
		return planes[start + (at % FACE.channels) * plane + pixel]!
	})
}
