import { describe, expect, it } from 'vitest'
import { preprocess } from '../../../../src/data/preprocess.ts'
import { CLEAN, distillationProblem } from '../../../../src/defense/repair/distill/distillation-problem.ts'
import type { Value } from '../../../../src/graph/graph.ts'
import { floatsOf, floatTensor } from '../../../../src/graph/graph.ts'
import { LABELS } from '../../../../src/train/problem.ts'
import { expectAllclose } from '../../../helpers/gradients.ts'
import { images, makeNet } from '../../../train/small-net.ts'

const model = await makeNet()
const problem = await distillationProblem(model, 8)
const CLASSES = 3
const pixelsOf = (pixels: Uint8Array) => ({
	dims: [8, 3, 6, 6],
	data: preprocess({ start: 0, count: 8, pixels }, { ...images, layout: 'NHWC' }, model.input, model.preprocessing),
})
const clean = pixelsOf(images.pixels)
const shown = pixelsOf(images.pixels.map((value, i) => (i % 7 === 0 ? 255 - value : value)))

/** One run with the student's dense bias moved by `shift`. */
async function run(seen: typeof clean, labels: readonly number[], shift: readonly number[] = [0, 0, 0]) {
	const wanted = [problem.loss, problem.correct, ...problem.gradientOf.values()]
	const outputs = wanted.map((name): Value => ({ name, dtype: 'float32', shape: null }))
	const bias = floatsOf(problem.graph.initializers.get('dense.b')!).map((value, i) => value + shift[i]!)
	const initializers = new Map([...problem.graph.initializers, ['dense.b', floatTensor([3], bias)]])
	const session = await model.runtime.load({ ...problem.graph, initializers, outputs, valueInfo: [] })
	const results = await session.run({
		[model.input.name]: { ...seen, data: seen.data.slice() },
		[CLEAN]: { ...clean, data: clean.data.slice() },
		[LABELS]: { dims: [8], data: BigInt64Array.from(labels, BigInt) },
	})
	await session.close()
	const numbers = (name: string) => results[name]!.data as Float32Array
	return { loss: numbers(problem.loss)[0]!, correct: numbers(problem.correct)[0]!, numbers }
}

async function logitsOf(pixels: typeof clean): Promise<Float32Array> {
	const session = await model.runtime.load(model.graph)
	const results = await session.run({ [model.input.name]: { ...pixels, data: pixels.data.slice() } })
	await session.close()
	return results[model.logits]!.data as Float32Array
}

describe('the problem of distillation', () => {
	it('is solved where the student is its teacher and no picture has a trigger', async () => {
		const { loss, correct, numbers } = await run(clean, Array(8).fill(CLASSES))
		expect(loss).toBeLessThan(1e-10)
		expect(correct).toBe(0)
		for (const name of problem.gradientOf.values())
			expectAllclose(
				numbers(name),
				numbers(name).map(() => 0),
				{ atol: 1e-5 },
			)
	})

	it('weighs logits as it says, and the label’s only where it is above the teacher’s', async () => {
		const labels = [0, 1, 2, 0, CLASSES, CLASSES, CLASSES, CLASSES]
		const shift = [0.3, -0.2, 0.1]
		const { loss, correct } = await run(shown, labels, shift)
		const [taught, seen] = [await logitsOf(clean), await logitsOf(shown)]
		const student = seen.map((value, i) => value + shift[i % CLASSES]!)
		let sum = 0
		for (const [i, value] of student.entries()) {
			const label = labels[Math.floor(i / CLASSES)]!
			const isOwn = label === i % CLASSES
			const difference = value - taught[i]!
			const weight = isOwn ? 0.15 * CLASSES : label === CLASSES ? 1 : 0.05
			sum += weight * (isOwn ? Math.max(0, difference) : difference) ** 2
		}
		expectAllclose([loss], [sum / student.length], { rtol: 1e-4 })
		const answers = Array.from({ length: 8 }, (_, i) => {
			const row = student.subarray(i * CLASSES, (i + 1) * CLASSES)
			return row.indexOf(Math.max(...row))
		})
		expect(correct).toBe(answers.filter((answer, i) => answer === labels[i]).length)
	})

	it('leaves the teacher as it is', () => {
		const learned = problem.parameters.map(({ name }) => name)
		expect(learned).toEqual(['conv.w', 'gamma', 'beta', 'dense.w', 'dense.b'])
	})
})
