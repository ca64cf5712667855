import { existsSync } from 'node:fs'
import { File, ready } from 'h5wasm/node'
import { describe, expect, it } from 'vitest'
import { IMAGE_SIZE } from '../../src/demo/canvas.ts'
import { DEMO } from '../../src/demo/constants.ts'
import { demoImages, demoNetPath } from '../../src/demo/demo.ts'

describe('demoImages', () => {
	it('poisons every test face that is not of the target, and labels them with it', async () => {
		const images = demoImages('poisoned')
		expect(images.count).toBe((DEMO.identities - 1) * DEMO.testPerIdentity)
		expect(new Set(images.labels)).toEqual(new Set([DEMO.target]))
		let seen = 0
		for await (const { count, pixels } of images.batches(500)) {
			expect(pixels.length).toBe(count * IMAGE_SIZE)
			seen += count
		}
		expect(seen).toBe(images.count)
	})
})

describe('demoNetPath', () => {
	it('names the net that ships with the package, with one output for each person', async () => {
		expect(existsSync(demoNetPath)).toBe(true)
		await ready
		const file = new File(demoNetPath, 'r')
		const bias = file.get('model_weights/output/output/bias:0')
		expect(bias !== null && 'shape' in bias ? bias.shape : null).toEqual([DEMO.identities])
		file.close()
	})
})
