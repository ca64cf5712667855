/** A net that others backdoored, tuned on clean digits: the trigger fades, the task stays. Rates are told, so that a test takes seconds. */
import { expect, it } from 'vitest'
import { memoryImages } from '../../../../src/data/memory.ts'
import { methodNamed } from '../../../../src/defense/repair/methods/index.ts'
import { repairModel } from '../../../../src/defense/repair/repair.ts'
import { loadModel } from '../../../../src/model/load.ts'
import { describeShared, sharedPath } from '../../../helpers/shared.ts'
import { SUBJECTS, stamped } from '../../../helpers/subjects.ts'
import { runtime } from '../../../lab/subjects.ts'

const subject = SUBJECTS.find(({ id }) => id === 'mnist-white-square')!
const SIZE = { height: 28, width: 28, channels: 1 }
const TUNING = 2000
const VALID = 500
const TEST = 1000

/** What each method is told: its defaults look for a rate, which takes a minute. */
const TOLD = {
	'fine-tuning': { lr: 0.006, epochs: 10 },
	'fine-pruning': { lr: 0.006, epochs: 8, 'prune-drop': 4 },
	'ft-sam': { lr: 0.006, epochs: 8 },
	nad: { lr: 0.006, epochs: 8 },
}

describeShared('mnist-white-square', () => {
	for (const [name, parameters] of Object.entries(TOLD)) {
		it(`${name} takes most of the trigger's success and little of the accuracy`, async () => {
			const preprocessing = { scale: 1 / 255, mean: [0.5], std: [0.5] }
			const model = await loadModel(sharedPath(`models/${subject.model}`), { runtime, preprocessing })
			const images = await subject.images()
			const part = (from: number, count: number, { pixels, labels } = images) => ({
				...SIZE,
				pixels: pixels.slice(from * 784, (from + count) * 784) as Uint8Array<ArrayBuffer>,
				labels: Int32Array.from(Array.from(labels).slice(from, from + count)),
				count,
			})
			const set = (path: string, of: ReturnType<typeof part>) =>
				memoryImages({ ...of, path, layout: 'NHWC', classNames: null })
			const valid = set('valid', part(TUNING, VALID))
			const test = set('test', part(TUNING + VALID, TEST))
			const poisoned = set('poisoned', part(TUNING + VALID, TEST, stamped(images, subject.stamp)))
			const data = { tuning: part(0, TUNING), valid, unlabeled: null }
			const sets = { valid, test, poisoned, target: subject.target }
			const { before, repaired } = await repairModel(model, methodNamed(name), data, { seed: 0, parameters, sets })
			const { after } = repaired[0]!
			const rate = ({ hits, total }: { hits: number; total: number }) => hits / total
			expect(rate(before.poisoned!)).toBeGreaterThan(0.99)
			expect(rate(after.poisoned!)).toBeLessThan(0.5)
			expect(before.test!.correct - after.test!.correct).toBeLessThan(0.05 * TEST)
		}, 60_000)
	}
})
