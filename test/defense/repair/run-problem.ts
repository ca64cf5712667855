/** One run of a problem's graph: its loss and its gradients. */
import { readFileSync } from 'node:fs'
import { floatTensor, type Value } from '../../../src/graph/graph.ts'
import type { Model } from '../../../src/model/model.ts'
import type { Feed } from '../../../src/runtime/runtime.ts'
import type { Problem } from '../../../src/train/problem.ts'

/** What torch-minmax.py computed. */
export const stored = JSON.parse(readFileSync(new URL('./torch-minmax.json', import.meta.url), 'utf8'))

/** @param constants initializers that get other values, by name */
export async function runProblem(
	{ runtime }: Model,
	problem: Problem,
	feeds: Readonly<Record<string, Feed>>,
	constants: Readonly<Record<string, Feed>> = {},
) {
	const wanted = [problem.loss, ...problem.gradientOf.values()]
	const outputs = wanted.map((name): Value => ({ name, dtype: 'float32', shape: null }))
	const replaced = Object.entries(constants).map(
		([name, { dims, data }]) => [name, floatTensor(dims, data as Float32Array)] as const,
	)
	const initializers = new Map([...problem.graph.initializers, ...replaced])
	const session = await runtime.load({ ...problem.graph, initializers, outputs, valueInfo: [] })
	const results = await session.run(feeds)
	await session.close()
	const numbers = (name: string) => results[name]!.data as Float32Array
	return {
		loss: numbers(problem.loss)[0]!,
		gradient: (name: string) => numbers(problem.gradientOf.get(name)!),
	}
}
