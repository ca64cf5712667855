/** A table of single operators whose gradients are checked against both oracles: each file of rules brings its own. */
import { it } from 'vitest'
import type { AttributeValue, Tensor } from '../../src/graph/graph.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import {
	type CheckOptions,
	checkGradient,
	expectAllclose,
	type Feeds,
	gradientsOf,
	operatorGraph,
	type StoredGradients,
} from './gradients.ts'

export interface GradientCase {
	readonly op: string
	/** Operands in order; those of `constants` are named here too, where they stand. */
	readonly inputs: readonly string[]
	readonly feeds: Feeds
	readonly attributes?: Readonly<Record<string, AttributeValue>>
	readonly constants?: Readonly<Record<string, Tensor>>
	readonly opset?: number
	/** All feeds unless told. */
	readonly wrt?: readonly string[]
	readonly check?: CheckOptions
}

/**
 * One test for each case: central differences, and PyTorch's values where `stored` has the case; then those values once more with
 * `other`, a second runtime, for the cases named in `sample`.
 */
export function testGradients(
	cases: Readonly<Record<string, GradientCase>>,
	stored: StoredGradients,
	{ runtime, sample }: { readonly runtime: Runtime; readonly sample: readonly string[] },
): void {
	for (const [name, test] of Object.entries(cases)) {
		const { op, inputs, feeds, attributes, wrt = Object.keys(feeds), check } = test
		const graph = operatorGraph(op, inputs, feeds, attributes, {
			...(test.opset && { opset: test.opset }),
			...(test.constants && { constants: test.constants }),
		})
		const expectStored = async (on?: Runtime) => {
			const found = await gradientsOf(graph, feeds, wrt, on)
			for (const [input, expected] of Object.entries(stored[name] ?? {})) {
				expectAllclose(found[input]!.data, expected, { atol: 2e-5, what: `${name}: gradient of ${input}` })
			}
		}
		const oracles = stored[name] ? 'central differences and PyTorch' : 'central differences'
		it(`${op}, ${name}: agrees with ${oracles}`, async () => {
			await checkGradient(graph, feeds, wrt, check)
			await expectStored()
		})
		if (sample.includes(name))
			it(`${op}, ${name}: agrees with PyTorch on ${runtime.name} too`, () => expectStored(runtime))
	}
}
