import { describe, expect, it } from 'vitest'
import { poisonTest, poisonTraining } from '../../src/attack/poison.ts'
import type { Subject } from '../../src/lab/subject.ts'
import { imageSet, trainSubject } from '../../src/lab/subject.ts'
import { predictLabels } from '../../src/model/predict.ts'
import { onnxFile } from '../../src/model/write-back.ts'
import { SIZE } from '../helpers/pictures.ts'
import { planOf } from './subjects.ts'

describe('trainSubject', () => {
	it('none: a clean twin, trained on the images as they are, with nothing poisoned anywhere', async () => {
		const plan = planOf('none')
		const { training, clean, poisoned, poisonedTest, history } = await trainSubject(plan)
		expect(training).toMatchObject({ pixels: plan.images.pixels, labels: plan.images.labels })
		expect([...training.poisoned, ...training.covers]).toEqual([])
		expect({ poisoned, poisonedTest }).toEqual({ poisoned: null, poisonedTest: null })
		expect(clean).toEqual({ correct: expect.any(Number), total: 60 })
		expect(clean.correct).toBeGreaterThanOrEqual(57)
		expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6])
		expect(history.at(-1)!.loss).toBeLessThan(history[0]!.loss)
	})

	it('badnets: clean images are answered well, triggered ones with the target, counted as predictions say', async () => {
		const recipe = { ...planOf('none').recipe, epochs: 9 }
		const plan = planOf('badnets', { target: 2, size: 5 }, { rate: 0.2, recipe })
		const seen: [string, number, number][] = []
		const measured: number[] = []
		const subject = await trainSubject(plan, {
			onTraining: (stage, { done, total }) => seen.push([stage, done, total]),
			onMeasuring: (done, total) => measured.push(done / total),
		})
		expect(subject.clean.correct).toBeGreaterThanOrEqual(54)
		expect(subject.poisoned!.hits).toBeGreaterThanOrEqual(40)
		expect(await countsOf(subject, plan.test.labels)).toEqual({ clean: subject.clean, poisoned: subject.poisoned })
		expect(subject.training).toEqual(poisonTraining(plan.images, plan.attack, { rate: 0.2, seed: 5 }))
		expect(subject.poisonedTest).toEqual(poisonTest(plan.test, plan.attack))
		expect(seen[0]).toEqual(['net', 32, 9 * 7 * 32])
		expect(seen.at(-1)).toEqual(['net', 9 * 7 * 32, 9 * 7 * 32])
		expect(measured.at(-1)).toBe(1)
		expect(measured).toEqual([...measured].sort((a, b) => a - b))

		async function countsOf({ model, poisonedTest }: Subject, truth: Int32Array) {
			const answers = await predictLabels(model, imageSet('test', plan.test, SIZE))
			const attacked = await predictLabels(model, imageSet('poisoned', poisonedTest!, SIZE))
			const total = (list: Int32Array, wanted: Int32Array) => list.filter((label, i) => label === wanted[i]).length
			return {
				clean: { correct: total(answers, truth), total: 60 },
				poisoned: {
					hits: attacked.filter((label) => label === 2).length,
					recovered: total(attacked, poisonedTest!.trueLabels),
					total: 45,
				},
			}
		}
	})

	it('one seed decides every byte of the net', async () => {
		const short = { recipe: { ...planOf('none').recipe, epochs: 1 } }
		const bytesFor = async (seed: number) =>
			onnxFile((await trainSubject(planOf('badnets', { target: 0 }, { ...short, seed }))).model)
		expect(await bytesFor(1)).toEqual(await bytesFor(1))
		expect(await bytesFor(1)).not.toEqual(await bytesFor(2))
	})

	it('patience judges by the test images and says so in the history', async () => {
		const recipe = { ...planOf('none').recipe, epochs: 40, patience: 1 }
		const { history, clean } = await trainSubject(planOf('none', {}, { recipe }))
		expect(history.length).toBeLessThan(40)
		expect(clean.correct).toBe(Math.max(...history.map(({ valid }) => valid!.correct)))
	})

	it('says what is wrong with a plan before it trains', async () => {
		let steps = 0
		const hooks = { onTraining: () => steps++ }
		const cases: [Parameters<typeof planOf>, object][] = [
			[['badnets', { target: 0 }, { rate: 0.001 }], { code: 'poisons-nothing', exitCode: 3 }],
			[['badnets', { target: 0 }, { architecture: 'resnet-9000' }], { code: 'unknown-architecture', exitCode: 2 }],
			[['none', {}, { architecture: 'deepid' }], { code: 'image-too-small', exitCode: 3 }],
			[
				['none', {}, { recipe: { ...planOf('none').recipe, optimizer: 'sgd', momentum: 1 } }],
				{ message: '--momentum: expected a number from 0 up to (and not) 1, found 1', exitCode: 2 },
			],
			[
				['none', {}, { recipe: { ...planOf('none').recipe, weightDecay: -1 } }],
				{ message: '--weight-decay: expected a number of at least 0, found -1', exitCode: 2 },
			],
			[
				['none', {}, { recipe: { ...planOf('none').recipe, patience: 0 } }],
				{ message: '--patience: expected a whole number of epochs of at least 1, found 0', exitCode: 2 },
			],
		]
		for (const [plan, error] of cases) await expect(trainSubject(planOf(...plan), hooks)).rejects.toMatchObject(error)
		expect(steps).toBe(0)
	})
})
