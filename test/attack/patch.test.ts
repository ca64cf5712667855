import { describe, expect, it } from 'vitest'
import { patch, sticker } from '../../src/attack/patch.ts'
import { PICTURE } from './helpers.ts'

const SUBJECT = { size: { height: 28, width: 30, channels: 1 }, classes: 10 }

describe('patch', () => {
	it('stands one pixel from the bottom right corner unless told otherwise', () => {
		expect(patch({}, SUBJECT).overlay).toMatchObject({ row: 24, column: 26, picture: { height: 3, width: 3 } })
		expect(patch({ position: 'top-left', margin: 0 }, SUBJECT).overlay).toMatchObject({ row: 0, column: 0 })
		expect(patch({ position: 'bottom-left', size: 5 }, SUBJECT).overlay).toMatchObject({ row: 22, column: 1 })
		expect(patch({ position: 'center', size: 4 }, SUBJECT).overlay).toMatchObject({ row: 12, column: 13 })
	})

	it('draws the four pixels of the paper, white and nothing between them', () => {
		const { rgba } = patch({ pattern: 'four-pixels' }, SUBJECT).overlay.picture
		const opacities = Array.from({ length: 9 }, (_, i) => rgba[i * 4 + 3])
		expect(opacities).toEqual([0, 0, 255, 0, 255, 0, 255, 0, 255])
		expect([...rgba.subarray(8, 12)]).toEqual([255, 255, 255, 255])
	})

	it('takes one level or three colours', () => {
		expect([...patch({ size: 1, color: [9] }, SUBJECT).overlay.picture.rgba]).toEqual([9, 9, 9, 255])
		expect([...patch({ size: 1, color: [1, 2, 3] }, SUBJECT).overlay.picture.rgba]).toEqual([1, 2, 3, 255])
	})
})

describe('sticker', () => {
	it('stands in the middle unless told otherwise', () => {
		expect(sticker({ picture: PICTURE }, SUBJECT).parameters).toEqual({ picture: 'red.png', row: 13, column: 13 })
		expect(sticker({ picture: PICTURE, row: 3, column: 0 }, SUBJECT).overlay).toMatchObject({ row: 3, column: 0 })
	})
})
