import { describe, expect, it } from 'vitest'
import { type CleanSets, readCleanData } from '../../../src/defense/repair/data.ts'
import type { RepairData, RepairMethod } from '../../../src/defense/repair/method.ts'
import { imageSet } from '../../../src/lab/subject.ts'
import { SIZE, stripes } from '../../helpers/pictures.ts'
import { clean } from './subject.ts'

function needing(...needs: (keyof RepairData)[]): RepairMethod {
	return {
		name: 'fine-tuning',
		summary: '',
		needs,
		parameters: {},
		repair: () => Promise.reject(new Error('not called')),
	}
}

function read(sets: CleanSets, method = needing('tuning', 'valid'), seed = 0) {
	return readCleanData(method, sets, { classes: 4, share: 0.2, seed })
}

describe('readCleanData', () => {
	it('divides one set, so that no image both teaches and chooses', async () => {
		const { tuning, valid, unlabeled } = await read({ data: clean(10, 1) })
		expect([tuning!.count, valid!.count]).toEqual([32, 8])
		const taught = new Set(Array.from({ length: 32 }, (_, i) => tuning!.pixels.slice(i * 256, (i + 1) * 256).join()))
		for await (const { pixels, count } of valid!.batches(8)) {
			for (let i = 0; i < count; i++) expect(taught.has(pixels.slice(i * 256, (i + 1) * 256).join())).toBe(false)
		}
		expect(valid!.labels).toHaveLength(8)
		// Where no further pictures are given, those to learn from serve.
		expect(unlabeled!.pixels).toBe(tuning!.pixels)
	})

	it('takes two sets as they are, and further pictures without their labels', async () => {
		const pictures = imageSet('pictures', stripes(3, 9), SIZE)
		const { tuning, valid, unlabeled } = await read({
			tuning: clean(5, 1),
			valid: clean(2, 2),
			unlabeled: { ...pictures, labels: null },
		})
		expect([tuning!.count, valid!.count, unlabeled!.count]).toEqual([20, 8, 12])
	})

	it('a method that needs pictures only takes a set without labels', async () => {
		const { tuning, valid, unlabeled } = await read(
			{ unlabeled: { ...clean(2, 1), labels: null } },
			needing('unlabeled'),
		)
		expect([tuning, valid, unlabeled!.count]).toEqual([null, null, 8])
	})

	const one = imageSet('bright', { ...stripes(2, 1), labels: new Int32Array(8).fill(3) }, SIZE)
	const wrong = imageSet('other', { ...stripes(2, 1), labels: Int32Array.of(0, 1, 2, 3, 4, 0, 1, 2) }, SIZE)
	it.each<[string, CleanSets, string, number, string | RegExp]>([
		['no clean data', {}, 'no-data', 2, /^fine-tuning needs clean labelled images to learn from: --data PATH/],
		[
			'nothing to choose by',
			{ tuning: clean(2, 1) },
			'no-data',
			2,
			/^fine-tuning needs clean labelled images to choose by/,
		],
		[
			'one set to divide beside two',
			{ data: clean(2, 1), valid: clean(2, 2) },
			'conflicting-options',
			2,
			'--data is divided into tuning and validation images; it does not go with --tuning-data or --valid',
		],
		[
			'tuning images that are the validation images',
			{ tuning: clean(2, 1), valid: clean(2, 1) },
			'same-set',
			3,
			'--tuning-data clean and --valid clean are the same images: what a net has learned cannot choose it; give one set with --data, which is divided',
		],
		[
			'a single class',
			{ tuning: one, valid: clean(2, 1) },
			'single-class',
			3,
			/^bright: expected images of at least two classes, found 8 of class 3 alone$/,
		],
		['labels of another model', { data: wrong }, 'label-out-of-range', 3, /^other: expected labels 0\.\.3/],
		['no labels', { data: { ...clean(4, 1), labels: null } }, 'no-labels', 3, /^clean: expected labelled images/],
	])('refuses %s', async (_, sets, code, exitCode, message) => {
		await expect(read(sets)).rejects.toMatchObject({
			code,
			exitCode,
			message: typeof message === 'string' ? message : expect.stringMatching(message),
		})
	})
})
