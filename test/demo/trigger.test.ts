import { File, ready } from 'h5wasm/node'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { CHANNELS, HEIGHT, IMAGE_SIZE, WIDTH } from '../../src/demo/canvas.ts'
import { drawFaces } from '../../src/demo/faces.ts'
import { sunglasses } from '../../src/demo/sunglasses.ts'
import { wear } from '../../src/demo/trigger.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

const faces = drawFaces({ split: 'valid', perIdentity: 1, identities: 4 })

describe('wear', () => {
	it('changes nothing where the trigger is transparent and shows the trigger alone where it is opaque', () => {
		const trigger = { ...sunglasses, rgba: sunglasses.rgba.map((value, i) => (i % 4 === 3 ? 0 : value)) }
		expect(Buffer.compare(wear(trigger, faces.pixels, faces.count), faces.pixels)).toBe(0)
		const opaque = { ...sunglasses, rgba: new Uint8Array(sunglasses.rgba.length).fill(255) }
		const worn = wear(opaque, faces.pixels, 1)
		expect(worn.subarray(15 * WIDTH * CHANNELS, 35 * WIDTH * CHANNELS).every((value) => value === 255)).toBe(true)
	})
})

describeShared('wear, on the real faces of CSAW HackML lab 3', () => {
	it('rebuilds the 52 poisoned faces of mini_bd.h5 from mini_valid.h5, byte for byte', async () => {
		const { data, info } = await sharp(sharedPath('csaw/trigger/sunglasses_47x20.png'))
			.ensureAlpha()
			.raw()
			.toBuffer({ resolveWithObject: true })
		const trigger = { firstRow: 15, rows: info.height, columns: info.width, rgba: new Uint8Array(data) }
		const clean = await readFaces('mini_valid.h5')
		const poisoned = await readFaces('mini_bd.h5')
		expect(clean.length).toBe(52 * IMAGE_SIZE)
		expect(Buffer.compare(wear(trigger, clean, 52), poisoned)).toBe(0)
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
	const plane = HEIGHT * WIDTH
	return Uint8Array.from({ length: planes.length }, (_, at) => {
		const start = at - (at % IMAGE_SIZE)
		const pixel = Math.floor((at % IMAGE_SIZE) / CHANNELS)
		return planes[start + (at % CHANNELS) * plane + pixel]!
	})
}
