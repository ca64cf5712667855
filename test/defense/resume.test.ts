/** A run that is stopped anywhere and gone on with finds what the run finds that was not stopped. */
import { describe, expect, it } from 'vitest'
import { pruneAcross } from '../../src/defense/prune/across-layers.ts'
import type { Checkpoints } from '../../src/defense/prune/checkpoints.ts'
import { type PruneOptions, prune } from '../../src/defense/prune/prune.ts'
import { resNet } from '../helpers/architectures/resnet.ts'
import { modelOf, randomImages } from '../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn } from '../helpers/networks.ts'

type Saved = Map<string, { done: number; state: number[] }>

/** Remembers everything, and stops the run with its `limit`th save. */
function remembering(saved: Saved, limit = Number.POSITIVE_INFINITY): Checkpoints & { saves: number } {
	return {
		saves: 0,
		find: (stage) => saved.get(stage),
		async save(stage, { done }, state) {
			saved.set(stage, { done, state: [...state()] })
			if (++this.saves === limit) throw new Error('stopped')
		},
	}
}

describe('a sweep stopped and gone on with', () => {
	const net = modelOf(randomCnn({ ...PLAIN_SHAPE, channels: 5, classes: 4, residual: true, seed: 7 }))

	for (const rank of ['mean', 'apoz'] as const) {
		it(`ranked by ${rank}, finds the same at every place to stop`, async () => {
			const model = await net
			const images = randomImages(model, 400, 1)
			const options: PruneOptions = { rank, test: randomImages(model, 250, 2), poisoned: images, target: 1, drops: [5] }
			const all = remembering(new Map())
			const whole = await prune(model, images, { ...options, checkpoints: all })
			expect(all.saves).toBeGreaterThan(6)
			for (let limit = 1; limit <= all.saves; limit++) {
				const saved: Saved = new Map()
				await expect(prune(model, images, { ...options, checkpoints: remembering(saved, limit) })).rejects.toThrow(
					'stopped',
				)
				const again = remembering(saved)
				const resumed = await prune(model, images, { ...options, checkpoints: again })
				expect(resumed.steps).toEqual(whole.steps)
				expect(resumed.meanActivation).toEqual(whole.meanActivation)
				expect(resumed.ranking).toEqual(whole.ranking)
				expect(resumed.choices).toEqual(whole.choices)
				// What was done is not done again.
				expect(again.saves).toBe(all.saves - limit)
			}
		})
	}

	it('across layers, runs no net again that was counted', async () => {
		const model = await modelOf(resNet({ widths: [4, 6], size: 8 }))
		const images = randomImages(model, 40, 3)
		const all = remembering(new Map())
		const options = { rank: 'clp', drops: [5] } as const
		const whole = await pruneAcross(model, images, { ...options, checkpoints: all })
		const limit = Math.floor(all.saves / 2)
		const saved: Saved = new Map()
		const stopped = pruneAcross(model, images, { ...options, checkpoints: remembering(saved, limit) })
		await expect(stopped).rejects.toThrow('stopped')
		const again = remembering(saved)
		const resumed = await pruneAcross(model, images, { ...options, checkpoints: again })
		expect(resumed.steps).toEqual(whole.steps)
		expect(again.saves).toBe(all.saves - limit)
	})

	it('refuses a state of another size', async () => {
		const model = await net
		const saved: Saved = new Map([['activations', { done: 64, state: [1, 2] }]])
		const run = prune(model, randomImages(model, 100, 1), { checkpoints: remembering(saved) })
		await expect(run).rejects.toMatchObject({ code: 'bad-journal', exitCode: 3 })
	})
})
