import { describe, expect, it } from 'vitest'
import { flatRules } from '../../../src/graph/gradient/flat.ts'
import { gradientRules } from '../../../src/graph/gradient/rules.ts'
import { webRuntime } from '../../../src/runtime/web.ts'
import { checkGradient, expectAllclose, gradientsOf, readStored } from '../../helpers/gradients.ts'
import { CASES } from './cases.ts'

/** Every family's examples. A new family adds its own here. */
const ALL_CASES = CASES
const STORED = readStored(new URL('torch-operators.json', import.meta.url))

describe('gradientRules', () => {
	it('has an example for every operator through which anything flows back', () => {
		const shown = new Set(Object.values(ALL_CASES).flatMap(({ graph }) => graph.nodes.map(({ op }) => op)))
		const missing = [...gradientRules.keys()].filter((op) => !shown.has(op) && !(op in flatRules))
		expect(missing).toEqual([])
	})

	it('has a value from PyTorch for every example', () => {
		expect(Object.keys(ALL_CASES).filter((name) => !(name in STORED))).toEqual([])
	})

	for (const [name, { graph, feeds, wrt, check }] of Object.entries(ALL_CASES)) {
		it(`${name}: agrees with central differences`, async () => {
			await checkGradient(graph, feeds, wrt, check)
		})

		it(`${name}: agrees with PyTorch within 1e-4`, async () => {
			const gradients = await gradientsOf(graph, feeds, wrt)
			for (const each of wrt)
				expectAllclose(gradients[each]!.data, STORED[name]![each]!, { what: `gradient of ${each}` })
		})
	}

	it('gives the same in WebAssembly', async () => {
		const runtime = webRuntime()
		for (const [name, { graph, feeds, wrt }] of Object.entries(ALL_CASES)) {
			const gradients = await gradientsOf(graph, feeds, wrt, runtime)
			for (const each of wrt) expectAllclose(gradients[each]!.data, STORED[name]![each]!, { what: `${name}, ${each}` })
		}
	})
})
