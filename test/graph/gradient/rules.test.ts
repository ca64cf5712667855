import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { flatRules } from '../../../src/graph/gradient/flat.ts'
import { gradientRules } from '../../../src/graph/gradient/rules.ts'
import { webRuntime } from '../../../src/runtime/web.ts'
import { checkGradient, expectAllclose, gradientsOf, readStored } from '../../helpers/gradients.ts'
import { CASES } from './cases.ts'

/** Families whose examples stand in the family's own test file. */
const TESTED_ALONE = ['convolution', 'grid-sample', 'normalization', 'padding', 'pooling', 'resize']
const STORED = readStored(new URL('torch-operators.json', import.meta.url))

describe('gradientRules', () => {
	it('has an example for every operator through which anything flows back', () => {
		const shown = new Set(Object.values(CASES).flatMap(({ graph }) => graph.nodes.map(({ op }) => op)))
		const alone = TESTED_ALONE.map((name) => readFileSync(new URL(`${name}.test.ts`, import.meta.url), 'utf8')).join()
		const isShown = (op: string) => shown.has(op) || alone.includes(`'${op}'`)
		const missing = [...gradientRules.keys()].filter((op) => !isShown(op) && !(op in flatRules))
		expect(missing).toEqual([])
	})

	it('has a value from PyTorch for every example', () => {
		expect(Object.keys(CASES).filter((name) => !(name in STORED))).toEqual([])
	})

	for (const [name, { graph, feeds, wrt }] of Object.entries(CASES)) {
		it(`${name}: agrees with central differences`, async () => {
			await checkGradient(graph, feeds, wrt)
		})

		it(`${name}: agrees with PyTorch within 1e-4`, async () => {
			const gradients = await gradientsOf(graph, feeds, wrt)
			for (const each of wrt)
				expectAllclose(gradients[each]!.data, STORED[name]![each]!, { what: `gradient of ${each}` })
		})
	}

	it('gives the same in opset 21, where the spelling of the example is the same', async () => {
		const reducesByAttribute = (name: string) => CASES[name]!.graph.nodes.some((node) => 'axes' in node.attributes)
		for (const [name, { graph, feeds, wrt }] of Object.entries(CASES)) {
			if (reducesByAttribute(name)) continue
			const gradients = await gradientsOf({ ...graph, opsets: new Map([['', 21]]) }, feeds, wrt)
			for (const each of wrt) expectAllclose(gradients[each]!.data, STORED[name]![each]!, { what: `${name}, ${each}` })
		}
	})

	it('gives the same in WebAssembly', async () => {
		const runtime = webRuntime()
		for (const [name, { graph, feeds, wrt }] of Object.entries(CASES)) {
			const gradients = await gradientsOf(graph, feeds, wrt, runtime)
			for (const each of wrt) expectAllclose(gradients[each]!.data, STORED[name]![each]!, { what: `${name}, ${each}` })
		}
	})
})
