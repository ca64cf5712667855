import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { floatsOf } from '../../src/graph/graph.ts'
import { adam } from '../../src/train/adam.ts'
import type { Optimizer } from '../../src/train/optimizer.ts'
import type { TrainOptions } from '../../src/train/options.ts'
import { scheduleOf } from '../../src/train/schedule.ts'
import { sgd } from '../../src/train/sgd.ts'
import { train } from '../../src/train/train.ts'
import { images, makeNet } from './small-net.ts'

interface Stored {
	readonly losses: readonly number[]
	readonly conv: readonly number[]
	readonly gamma: readonly number[]
	readonly mean: readonly number[]
	readonly dense: readonly number[]
}

const stored = JSON.parse(readFileSync(new URL('./torch-training.json', import.meta.url), 'utf8'))

const CASES: Readonly<Record<string, { optimizer: Optimizer; rate: number } & Partial<TrainOptions>>> = {
	sgd: { optimizer: sgd({ momentum: 0 }), rate: 0.1 },
	'sgd with momentum': { optimizer: sgd(), rate: 0.1 },
	'sgd with nesterov momentum and weight decay': {
		optimizer: sgd({ nesterov: true, weightDecay: 0.05 }),
		rate: 0.1,
	},
	'sgd with label smoothing and clipping': { optimizer: sgd(), rate: 0.5, smoothing: 0.2, clip: 0.25 },
	adam: { optimizer: adam(), rate: 0.01 },
	'adam with weight decay': { optimizer: adam({ weightDecay: 0.05 }), rate: 0.01 },
	adamw: { optimizer: adam({ weightDecay: 0.05, isDecoupled: true }), rate: 0.01 },
}

describe('training beside PyTorch: the same losses and weights after six steps', () => {
	for (const [name, options] of Object.entries(CASES)) {
		it(name, async () => {
			const expected: Stored = stored[name]
			const { model, history } = await train(await makeNet(), images, { epochs: 6, batch: 8, seed: 0, ...options })
			const weight = (key: string) => floatsOf(model.graph.initializers.get(key)!)
			expectClose(
				history.map(({ loss }) => loss),
				expected.losses,
			)
			expectClose(weight('conv.w'), expected.conv)
			expectClose(weight('gamma'), expected.gamma)
			expectClose(weight('mean'), expected.mean)
			expectClose(weight('dense.w'), expected.dense)
		})
	}

	it('one-cycle rates', () => {
		const schedule = scheduleOf('one-cycle')
		expectClose(
			Array.from({ length: 20 }, (_, step) => schedule(step, 20)),
			stored['one cycle'].rates,
		)
	})
})

/** rtol 1e-3 and atol 1e-4: both sides compute in float32, and six steps of Adam amplify the last bits of small gradients. */
function expectClose(found: ArrayLike<number>, expected: readonly number[]): void {
	expect(found.length).toBe(expected.length)
	for (const [i, value] of expected.entries()) {
		expect(Math.abs(found[i]! - value), `element ${i}: ${found[i]} beside ${value}`).toBeLessThan(
			1e-4 + 1e-3 * Math.abs(value),
		)
	}
}
