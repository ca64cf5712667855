import { describe, expect, it } from 'vitest'
import { fineTuning } from '../../../src/defense/repair/methods/fine-tuning.ts'
import { REPAIR_METHODS } from '../../../src/defense/repair/methods/index.ts'
import type { CheckpointStore, TrainingCheckpoint } from '../../../src/train/checkpoint.ts'
import { data, repairWith, smallBadNet, weightsOf } from './small-repair.ts'

const { model } = await smallBadNet()

describe('the rate of a tuning', () => {
	it('is the largest whose net loses no more than max-drop on clean validation images, tried from the largest down', async () => {
		const { points, findings } = await repairWith(fineTuning, model, data, { epochs: 4 })
		const { quantity, nets } = findings.candidates!
		expect(quantity).toBe('learning rate')
		const rates = nets.map(({ amount }) => amount)
		expect(rates).toEqual([...rates].sort((a, b) => b - a))
		const correct = findings.history!.at(-1)!.valid!.correct
		expect(nets.at(-1)!.valid).toEqual({ correct, total: 100 })
		expect(points[0]!.chosenBy).toBe(
			`after 4 epochs at learning rate ${rates.at(-1)}, chosen by accuracy on 100 clean validation images`,
		)
		expect(correct).toBeGreaterThanOrEqual(97)
		// All but the last cost too much, after a trial or after a whole run.
		for (const { valid } of nets.slice(0, -1)) expect(valid.correct).toBeLessThan(97)
	})

	it('is not looked for where it is told', async () => {
		const { points, findings } = await repairWith(fineTuning, model, data, { epochs: 2, lr: 0.001 })
		expect(findings.candidates).toBeNull()
		expect(findings.history).toHaveLength(2)
		expect(points[0]!.chosenBy).toBe('after 2 epochs at learning rate 0.001')
	})

	it('takes the whole run that loses least where every rate costs too much', async () => {
		const spoilt = { ...data, tuning: { ...data.tuning!, labels: data.tuning!.labels.map((label) => (label + 1) % 4) } }
		const { points, findings } = await repairWith(fineTuning, model, spoilt, { epochs: 2, 'max-drop': 0 })
		const whole = findings.candidates!.nets
		const best = whole.reduce((a, b) => (b.valid.correct > a.valid.correct ? b : a))
		expect(points[0]!.chosenBy).toContain(`at learning rate ${best.amount},`)
		expect(findings.history!.at(-1)!.valid).toEqual(best.valid)
	})

	it('passes over rates that diverge, as those that others take do on raw pixels', async () => {
		const raw = { ...model, preprocessing: { ...model.preprocessing, scale: 30 } }
		const { findings } = await repairWith(fineTuning, raw, data, { epochs: 1, 'max-drop': 100 })
		expect(findings.history!.every(({ loss }) => Number.isFinite(loss))).toBe(true)
		expect(findings.candidates!.nets[0]!.amount).toBeLessThan(0.1)
	})

	it('names the divergence of a told one', async () => {
		await expect(repairWith(fineTuning, model, data, { epochs: 9, lr: 100 })).rejects.toMatchObject({
			code: 'diverged',
			exitCode: 3,
			message: expect.stringMatching(/^training diverged: .* with learning rate 1?\d+/),
		})
	})
})

describe('every method that tunes', () => {
	for (const name of ['fine-tuning', 'fine-pruning', 'ft-sam', 'nad']) {
		const method = REPAIR_METHODS.get(name)!
		const told = { epochs: 1, lr: 0.01 }

		it(`${name}: the same seed gives the same bytes, another seed others; the given net stays as it was`, async () => {
			const before = structuredClone(weightsOf(model))
			const [one, two, other] = [
				await repairWith(method, model, data, told),
				await repairWith(method, model, data, told),
				await repairWith(method, model, data, told, { seed: 2 }),
			]
			expect(weightsOf(two.points[0]!.model)).toEqual(weightsOf(one.points[0]!.model))
			expect(weightsOf(other.points[0]!.model)).not.toEqual(weightsOf(one.points[0]!.model))
			expect(weightsOf(model)).toEqual(before)
		})

		it(`${name}: stops at the signal, tells progress, and goes on from its checkpoints`, async () => {
			const saved = new Map<number, TrainingCheckpoint>()
			const checkpoints = (stage: number): CheckpointStore => ({
				load: async () => saved.get(stage) ?? null,
				isDue: () => true,
				save: async (checkpoint) => {
					saved.set(stage, structuredClone(checkpoint))
				},
			})
			const stop = new AbortController()
			const stages = new Set<string>()
			const onProgress = (stage: string, done: number, total: number) => {
				expect(done).toBeLessThanOrEqual(total)
				stages.add(stage)
				if (stage === (name === 'nad' ? 'teach' : 'tune') && done >= total / 2) stop.abort()
			}
			const whole = await repairWith(method, model, data, told)
			const run = repairWith(method, model, data, told, { checkpoints, signal: stop.signal, onProgress })
			await expect(run).rejects.toMatchObject({ code: 'interrupted' })
			expect([...stages].at(-1)).toBe(name === 'nad' ? 'teach' : 'tune')
			const resumed = await repairWith(method, model, data, told, { checkpoints })
			expect(weightsOf(resumed.points[0]!.model)).toEqual(weightsOf(whole.points[0]!.model))
		})
	}
})
