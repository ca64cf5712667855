import { describe, expect, it } from 'vitest'
import { preprocess } from '../../../../src/data/preprocess.ts'
import {
	IMAGES,
	innerProblem,
	outerProblem,
	PERTURBATION,
	PERTURBED,
} from '../../../../src/defense/repair/universal/universal-problem.ts'
import { LABELS } from '../../../../src/train/problem.ts'
import { expectAllclose, wave } from '../../../helpers/gradients.ts'
import { images, makeNet } from '../../../train/small-net.ts'
import { runProblem, stored } from '../run-problem.ts'

const NAMES = ['conv.w', 'gamma', 'beta', 'dense.w', 'dense.b'] as const
const DELTA = wave([1, 3, 6, 6], 0.5, 0.1)

function feeds({ input, preprocessing }: Awaited<ReturnType<typeof makeNet>>, isPerturbed: (image: number) => boolean) {
	const batch = { start: 0, count: 8, pixels: images.pixels }
	const data = preprocess(batch, { ...images, layout: 'NHWC' }, input, preprocessing)
	return {
		[IMAGES]: { dims: [8, 3, 6, 6], data },
		[PERTURBED]: { dims: [8, 1, 1, 1], data: Float32Array.from({ length: 8 }, (_, i) => Number(isPerturbed(i))) },
		[LABELS]: { dims: [8], data: BigInt64Array.from(images.labels, BigInt) },
	}
}

describe('the problem of i-bau beside PyTorch', () => {
	it('without the implicit term, its gradient is that of the perturbed images alone', async () => {
		const model = await makeNet()
		const problem = await outerProblem(model, { batch: 8, rate: 20, iterations: null })
		const fed = { ...feeds(model, (i) => i % 2 === 1), [PERTURBATION]: DELTA }
		const { loss, gradient } = await runProblem(model, problem, fed)
		expectAllclose([loss], [stored.hyper.loss], { rtol: 1e-5 })
		for (const name of NAMES) expectAllclose(gradient(name), stored.hyper.direct[name], { rtol: 1e-3, what: name })
	})

	it('with it, the hypergradient is the exact one as closely as differences come, and not the direct one', async () => {
		const model = await makeNet()
		const problem = await outerProblem(model, { batch: 8, rate: 5, iterations: 1 })
		const fed = { ...feeds(model, (i) => i % 2 === 1), [PERTURBATION]: DELTA }
		const { gradient } = await runProblem(model, problem, fed)
		const all = (gradients: (name: string) => Iterable<number>) => NAMES.flatMap((name) => [...gradients(name)])
		const found = all(gradient)
		const exact = all((name) => stored.hyper.hyper[name])
		const direct = all((name) => stored.hyper.direct[name])
		const apart = (a: number[], b: number[]) => Math.hypot(...a.map((value, i) => value - b[i]!)) / Math.hypot(...b)
		expect(apart(direct, exact)).toBeGreaterThan(0.1)
		expect(apart(found, exact)).toBeLessThan(0.05)
	})

	it('the inner problem makes the loss of all images larger', async () => {
		const model = await makeNet()
		const problem = await innerProblem(model, 8)
		const fed = feeds(model, () => true)
		const before = await runProblem(model, problem, fed)
		const step = Float32Array.from(before.gradient(PERTURBATION), (slope) => -slope)
		const after = await runProblem(model, problem, fed, { [PERTURBATION]: { dims: [1, 3, 6, 6], data: step } })
		expect(after.loss).toBeLessThan(before.loss)
	})
})
