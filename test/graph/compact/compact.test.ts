import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prunableLayers } from '../../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../../src/defense/prune/repaired.ts'
import type { Graph } from '../../../src/graph/graph.ts'
import { compactModel } from '../../../src/model/compact.ts'
import type { Model } from '../../../src/model/model.ts'
import { OTHER_FORMS, TORCH_FORMS } from '../../helpers/architectures/builder.ts'
import { SMALL_NETS } from '../../helpers/architectures/small.ts'
import { logitsOf, modelOf, randomImages } from '../../helpers/models.ts'

const RUNS = { numRuns: 25 }
const forms = fc.constantFrom(TORCH_FORMS, OTHER_FORMS)

function parameters({ initializers }: Graph): number {
	return [...initializers.values()].reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0)
}

async function expectSameAnswers(a: Model, b: Model, seed: number): Promise<void> {
	const images = randomImages(a, 8, seed)
	const [expected, found] = [await logitsOf(a, images), await logitsOf(b, images)]
	for (const [i, row] of expected.entries()) {
		for (const [j, value] of row.entries()) {
			expect(Math.abs(found[i]![j]! - value)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(value)))
		}
	}
}

describe('compacting', () => {
	for (const { name, build } of SMALL_NETS) {
		it(`${name}: a pruned net and its compact form answer alike, whatever is pruned where`, async () => {
			await fc.assert(
				fc.asyncProperty(forms, fc.nat(1000), fc.nat(), fc.nat(), async (spelling, seed, place, pick) => {
					const model = await modelOf(build({ seed, forms: spelling }))
					const layers = prunableLayers(model)
					const layer = layers[place % layers.length]!
					const channels = [...Array(layer.channels).keys()].filter((channel) => (pick >> (channel % 30)) & 1)
					const pruned = pruneChannels(model, layer, channels)
					const compact = await compactModel(pruned)
					await expectSameAnswers(pruned, compact, seed)
					expect(parameters(compact.graph)).toBeLessThanOrEqual(parameters(pruned.graph))
				}),
				RUNS,
			)
		})
	}
})
