import { describe, expect, it } from 'vitest'
import { openStudent } from '../../../../src/defense/repair/distill/student.ts'
import { floatsOf } from '../../../../src/graph/graph.ts'
import { createRandom } from '../../../../src/random.ts'
import { expectAllclose } from '../../../helpers/gradients.ts'
import { images, makeNet } from '../../../train/small-net.ts'

const trigger = {
	...{ height: 6, width: 6, channels: 3, label: 1, norm: 36, success: { hits: 1, total: 1 }, isReached: true },
	mask: new Float32Array(36).fill(0.5),
	pattern: Float32Array.from({ length: 108 }, (_, i) => (i % 3) * 100),
}
const lesson = (steps: number, over = {}) => ({
	...{ images, triggers: [trigger], random: createRandom(1, 2, 3), steps },
	rateOf: () => 1e-2,
	...over,
})

async function mostAnswered(): Promise<number> {
	const found: number[] = []
	for (const label of [0, 1, 2]) {
		const trial = await openStudent(await makeNet(), { batch: 8, share: 1 })
		const observe = (share: number) => found.push(share) > 0
		await trial.learn(lesson(1, { triggers: [{ ...trigger, label }], observe }))
	}
	return found.indexOf(Math.max(...found))
}

describe('a student', () => {
	it('starts as its teacher, which stays as it was, and learns on from lesson to lesson', async () => {
		const model = await makeNet()
		const before = floatsOf(model.graph.initializers.get('conv.w')!).slice()
		const student = await openStudent(model, { batch: 8, share: 0.5 })
		const kernel = () => floatsOf(student.model.graph.initializers.get('conv.w')!)
		expectAllclose(kernel(), before, { atol: 0 })
		await student.learn(lesson(3))
		const once = kernel().slice()
		await student.learn(lesson(3))
		expect(once).not.toEqual(before)
		expect(kernel()).not.toEqual(once)
		expectAllclose(floatsOf(model.graph.initializers.get('conv.w')!), before, { atol: 0 })
	})

	it('gives triggered pictures their label less and less', async () => {
		const student = await openStudent(await makeNet(), { batch: 8, share: 0.5 })
		const shares: number[] = []
		// Whatever the untrained net answers most on triggered pictures is what is to be unlearned.
		const label = await mostAnswered()
		await student.learn(
			lesson(60, {
				triggers: [{ ...trigger, label }],
				observe: (share: number) => {
					shares.push(share)
					return false
				},
			}),
		)
		const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
		expect(shares).toHaveLength(60)
		expect(mean(shares.slice(0, 5))).toBeGreaterThan(mean(shares.slice(-20)))
	})

	it('ends a lesson when it is told that it is over, and an interrupted one at once', async () => {
		const student = await openStudent(await makeNet(), { batch: 4, share: 0.5 })
		const seen: number[] = []
		await student.learn(lesson(50, { observe: (_: number, step: number) => seen.push(step) === 5 }))
		expect(seen).toEqual([1, 2, 3, 4, 5])
		await expect(student.learn(lesson(50, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
			code: 'interrupted',
		})
	})

	it('says so when weights leave the finite numbers', async () => {
		const student = await openStudent(await makeNet(), { batch: 4, share: 0.5 })
		await expect(student.learn(lesson(30, { rateOf: () => 1e30 }))).rejects.toMatchObject({
			code: 'diverged',
			message: expect.stringMatching(/^distillation diverged: .* after step \d+$/),
		})
	})
})
