import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { decodeRgba, encodePng } from '../../src/data/decode.ts'

describe('decodeRgba', () => {
	it('gives back the colours and opacities of a PNG, transparent pixels too', async () => {
		const pixels = Uint8Array.from({ length: 2 * 3 * 4 }, (_, i) => i * 10)
		const png = await encodePng({ height: 2, width: 3, channels: 4, pixels })
		const { height, width, rgba } = await decodeRgba(png, 'a.png')
		expect({ height, width, rgba: [...rgba] }).toEqual({ height: 2, width: 3, rgba: [...pixels] })
	})

	it('makes pictures without opacity opaque, grey ones and PPM as well', async () => {
		const grey = await encodePng({ height: 1, width: 2, channels: 1, pixels: Uint8Array.of(5, 250) })
		expect([...(await decodeRgba(grey, 'g.png')).rgba]).toEqual([5, 5, 5, 255, 250, 250, 250, 255])
		const rgb = await encodePng({ height: 1, width: 1, channels: 3, pixels: Uint8Array.of(1, 2, 3) })
		expect([...(await decodeRgba(rgb, 'c.png')).rgba]).toEqual([1, 2, 3, 255])
		const ppm = Uint8Array.from([...new TextEncoder().encode('P6 1 1 255\n'), 9, 8, 7])
		expect([...(await decodeRgba(ppm, 'c.ppm')).rgba]).toEqual([9, 8, 7, 255])
		const greyAlpha = await sharp(Uint8Array.of(40, 128), { raw: { width: 1, height: 1, channels: 2 } })
			.png()
			.toBuffer()
		expect([...(await decodeRgba(greyAlpha, 'ga.png')).rgba]).toEqual([40, 40, 40, 128])
	})

	it('names the picture that is none, or is damaged', async () => {
		const png = await encodePng({ height: 9, width: 9, channels: 3, pixels: new Uint8Array(243).fill(7) })
		for (const bytes of [new Uint8Array(0), new TextEncoder().encode('<svg/>'), png.subarray(0, 60)]) {
			const error = { code: 'corrupt-image', message: expect.stringMatching(/^t\.png: expected a sound picture/) }
			await expect(decodeRgba(bytes, 't.png')).rejects.toMatchObject(error)
		}
	})
})
