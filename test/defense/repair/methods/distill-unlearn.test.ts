import { describe, expect, it } from 'vitest'
import { readCleanData } from '../../../../src/defense/repair/data.ts'
import { distillUnlearn } from '../../../../src/defense/repair/methods/distill-unlearn.ts'
import { parameterValues } from '../../../../src/defense/repair/parameters.ts'
import { repairModel } from '../../../../src/defense/repair/repair.ts'
import { floatsOf } from '../../../../src/graph/graph.ts'
import { imageSet } from '../../../../src/lab/subject.ts'
import { loadModel } from '../../../../src/model/load.ts'
import { nodeRuntime } from '../../../../src/runtime/node.ts'
import { stripes } from '../../../helpers/pictures.ts'
import { describeShared, sharedPath } from '../../../helpers/shared.ts'
import { SUBJECTS, stamped } from '../../../helpers/subjects.ts'
import { clean, TARGET, trainBadNet, triggered } from '../subject.ts'

const QUICK = { starts: 4, rounds: 3, 'invert-steps': 80, steps: 120, 'last-steps': 60, batch: 32 }
const sets = { valid: null, test: clean(25, 8), poisoned: triggered(stripes(25, 8)), target: TARGET }
const bad = await trainBadNet()

async function repair(parameters = {}, signal?: AbortSignal) {
	const unlabeled = { ...clean(30, 3), labels: null }
	const data = await readCleanData(distillUnlearn, { unlabeled }, { classes: 4, share: 0.2, seed: 0 })
	return repairModel(bad, distillUnlearn, data, { seed: 1, parameters: { ...QUICK, ...parameters }, sets, signal })
}

describe('distill-unlearn', () => {
	it('finds the label and removes the backdoor with pictures that have no labels', async () => {
		const { before, repaired, findings, isOracle } = await repair()
		const [{ after, point }] = repaired as [(typeof repaired)[0]]
		expect(before.poisoned!.hits / before.poisoned!.total).toBeGreaterThan(0.9)
		expect(after.poisoned!.hits / after.poisoned!.total).toBeLessThan(0.3)
		expect(after.test!.correct).toBeGreaterThan(before.test!.correct - 5)
		expect(findings.suspects!.labels[0]!.label).toBe(TARGET)
		expect(point.chosenBy).toMatch(/^after [123] rounds? against label 2$/)
		expect(isOracle).toBe(false)
	}, 60_000)

	it('gives the same weights for the same seed, and an oracle’s figures where the label is told', async () => {
		const few = { rounds: 1, 'invert-steps': 10, steps: 10, 'last-steps': 5, label: TARGET }
		const [first, second] = [await repair(few), await repair(few)]
		expect(first.isOracle).toBe(true)
		const kernelsOf = ({ repaired }: typeof first) =>
			[...repaired[0]!.point.model.graph.initializers.values()].filter(({ dtype }) => dtype === 'float32').map(floatsOf)
		expect(kernelsOf(first)).toEqual(kernelsOf(second))
	}, 60_000)

	it('leaves a net as it was where unlearning costs more than it may', async () => {
		// A student that sees one dark picture and hardly a trigger forgets the rest.
		const spoil = { label: TARGET, rounds: 1, 'invert-steps': 2, steps: 40, 'last-steps': 1, 'max-drop': 0 }
		const data = await readCleanData(distillUnlearn, { data: clean(30, 3) }, { classes: 4, share: 0.5, seed: 0 })
		const few = { ...data.unlabeled!, pixels: data.unlabeled!.pixels.fill(9), count: 1 }
		const context = { parameters: parameterValues(distillUnlearn.parameters, { ...QUICK, ...spoil }, 'x'), seed: 1 }
		const { points } = await distillUnlearn.repair(bad, { ...data, unlabeled: few }, context)
		expect(points[0]!.chosenBy).toMatch(/^unlearning against label 2 costs [\d.]+ points: the net as it was$/)
		expect(points[0]!.model).toBe(bad)
	}, 60_000)

	it('refuses a label that the net does not have', async () => {
		await expect(repair({ label: 4 })).rejects.toMatchObject({ code: 'bad-parameter', exitCode: 2 })
	})

	it('stops when it is told to', async () => {
		await expect(repair({}, AbortSignal.abort())).rejects.toMatchObject({ code: 'interrupted' })
	})
})

describeShared('a net that others backdoored', () => {
	it('forgets its trigger with 500 digits that nobody labelled', async () => {
		const subject = SUBJECTS.find(({ id }) => id === 'mnist-white-square')!
		const model = await loadModel(sharedPath(`models/${subject.model}`), {
			runtime: await nodeRuntime({ threads: 1 }),
			preprocessing: { scale: 1 / 255, mean: [0.5], std: [0.5] },
		})
		const digits = await subject.images()
		const size = { height: 28, width: 28, channels: 1 }
		const part = (pixels: Uint8Array, from: number, to: number) => {
			const labels = Int32Array.from(digits.labels).slice(from, to)
			return imageSet('digits', { pixels: pixels.slice(from * 784, to * 784), labels, count: to - from }, size)
		}
		const data = await readCleanData(
			distillUnlearn,
			{ unlabeled: part(digits.pixels, 1000, 1500) },
			{ classes: 10, share: 0.2, seed: 0 },
		)
		const poisoned = part(stamped(digits, subject.stamp).pixels, 0, 1000)
		const { before, repaired } = await repairModel(model, distillUnlearn, data, {
			...{ seed: 1, parameters: { ...QUICK, rounds: 1 } },
			sets: { valid: null, test: part(digits.pixels, 0, 1000), poisoned, target: subject.target },
		})
		const { after } = repaired[0]!
		expect(before.poisoned!.hits).toBeGreaterThan(0.99 * before.poisoned!.total)
		expect(after.poisoned!.hits).toBeLessThan(0.05 * after.poisoned!.total)
		expect(after.test!.correct).toBeGreaterThan(before.test!.correct - 15)
	}, 60_000)
})
