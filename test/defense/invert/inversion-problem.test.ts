import { describe, it } from 'vitest'
import { preprocess } from '../../../src/data/preprocess.ts'
import {
	IMAGES,
	inversionProblem,
	MASK,
	PATTERN,
	TARGETS,
	WEIGHT,
} from '../../../src/defense/invert/inversion-problem.ts'
import { expectAllclose, wave } from '../../helpers/gradients.ts'
import { images, makeNet } from '../../train/small-net.ts'
import { runProblem, stored } from '../repair/run-problem.ts'

describe('the problem of trigger inversion', () => {
	it('has the loss and the gradients for mask and pattern that PyTorch computes', async () => {
		const model = await makeNet()
		const problem = await inversionProblem(model, 8)
		const batch = { start: 0, count: 8, pixels: images.pixels }
		const data = preprocess(batch, { ...images, layout: 'NHWC' }, model.input, model.preprocessing)
		const feeds = {
			[IMAGES]: { dims: [8, 3, 6, 6], data },
			[TARGETS]: { dims: [8], data: new BigInt64Array(8).fill(2n) },
			[WEIGHT]: { dims: [1], data: Float32Array.of(0.01) },
		}
		const start = { [MASK]: wave([1, 1, 1, 6, 6], 1, 0.3), [PATTERN]: wave([1, 1, 3, 6, 6], 2, 1) }
		const { loss, gradient } = await runProblem(model, problem, feeds, start)
		expectAllclose([loss], [stored.inversion.loss], { rtol: 1e-5 })
		expectAllclose(gradient(MASK), stored.inversion.mask, { rtol: 1e-3 })
		expectAllclose(gradient(PATTERN), stored.inversion.pattern, { rtol: 1e-3 })
	})
})
