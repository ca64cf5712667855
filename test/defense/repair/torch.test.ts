import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { attentionDistillation } from '../../../src/defense/repair/attention.ts'
import { sharpnessAware } from '../../../src/defense/repair/sharpness-aware.ts'
import { replaceConstants } from '../../../src/graph/edit.ts'
import { floatsOf, floatTensor } from '../../../src/graph/graph.ts'
import type { Model } from '../../../src/model/model.ts'
import type { ProblemBuilder } from '../../../src/train/problem.ts'
import { sgd } from '../../../src/train/sgd.ts'
import { train } from '../../../src/train/train.ts'
import { wave } from '../../helpers/gradients.ts'
import { images, makeNet } from '../../train/small-net.ts'

interface Stored {
	readonly losses: readonly number[]
	readonly conv: readonly number[]
	readonly gamma: readonly number[]
	readonly mean: readonly number[]
	readonly dense: readonly number[]
}

const stored = JSON.parse(readFileSync(new URL('./torch-tuning.json', import.meta.url), 'utf8'))

/** The teacher of torch-tuning.py. */
async function makeTeacher(): Promise<Model> {
	const net = await makeNet()
	const wavy = (dims: readonly number[], phase: number) =>
		floatTensor(dims, wave(dims, phase, 0.3).data as Float32Array)
	const filled = (value: number) => floatTensor([4], new Float32Array(4).fill(value))
	const changed = new Map([
		['conv.w', wavy([4, 3, 3, 3], 1)],
		['dense.w', wavy([3, 36], 3)],
		['dense.b', wavy([3], 4)],
		['mean', filled(0.1)],
		['variance', filled(2)],
	])
	return { ...net, graph: replaceConstants(net.graph, changed) }
}

const CASES: Readonly<Record<string, { problem: () => Promise<ProblemBuilder>; rate: number }>> = {
	'ft-sam': { problem: async () => sharpnessAware(0.5), rate: 0.1 },
	nad: { problem: async () => attentionDistillation(await makeTeacher(), 20), rate: 0.05 },
}

describe('tuning beside PyTorch: the same losses and weights after six steps', () => {
	for (const [name, { problem, rate }] of Object.entries(CASES)) {
		it(name, async () => {
			const expected: Stored = stored[name]
			const options = { epochs: 6, batch: 8, seed: 0, rate, optimizer: sgd(), problem: await problem() }
			const { model, history } = await train(await makeNet(), images, options)
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
})

/** rtol 1e-3 and atol 1e-4, as for plain training: both sides compute in float32. */
function expectClose(found: ArrayLike<number>, expected: readonly number[]): void {
	expect(found.length).toBe(expected.length)
	for (const [i, value] of expected.entries()) {
		expect(Math.abs(found[i]! - value), `element ${i}: ${found[i]} beside ${value}`).toBeLessThan(
			1e-4 + 1e-3 * Math.abs(value),
		)
	}
}
