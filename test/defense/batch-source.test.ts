/** The second pass over a set gives what the first gave, wherever it was kept, and runs the trunk only for what was not. */
import { describe, expect, it } from 'vitest'
import { type BatchSource, readTwice } from '../../src/defense/prune/batch-source.ts'
import { chooseLayer } from '../../src/defense/prune/layer.ts'
import { cutModel, type LayerBatch } from '../../src/defense/prune/trunk.ts'
import { openScratch } from '../../src/scratch.ts'
import { modelOf, randomImages } from '../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn } from '../helpers/networks.ts'

const model = await modelOf(randomCnn({ ...PLAIN_SHAPE, residual: true }))
const images = randomImages(model, 200, 1)

async function collect(source: BatchSource, from = 0): Promise<LayerBatch[]> {
	const batches: LayerBatch[] = []
	for await (const batch of source.batches({ from })) batches.push(batch)
	return batches
}

describe('readTwice', () => {
	const NOTHING = 0
	const kinds = {
		'in memory': { memory: 2 ** 20, hasScratch: false, runsAgain: 0 },
		'in a scratch file': { memory: NOTHING, hasScratch: true, runsAgain: 0 },
		nowhere: { memory: NOTHING, hasScratch: false, runsAgain: 1 },
	}
	for (const [where, { memory, hasScratch, runsAgain }] of Object.entries(kinds)) {
		it(`gives the same batches again when they are kept ${where}`, async () => {
			const net = await cutModel(model, chooseLayer(model))
			let passes = 0
			const counted: typeof net = {
				...net,
				layerBatches: (...parameters) => {
					passes++
					return net.layerBatches(...parameters)
				},
			}
			const scratch = hasScratch ? await openScratch() : undefined
			const source = readTwice(counted, images, scratch, memory)
			const first = await collect(source)
			const second = await collect(source)
			expect(first.reduce((sum, { count }) => sum + count, 0)).toBe(images.count)
			expect(second).toEqual(first)
			expect(passes).toBe(1 + runsAgain)
			expect(await collect(source, first[1]!.start)).toEqual(first.slice(1))
			await scratch?.close()
			await net.close()
		})
	}

	it('stops keeping where the scratch has no room, and computes the rest again', async () => {
		const net = await cutModel(model, chooseLayer(model))
		let room = 1
		const puts: Uint8Array[] = []
		const scratch = {
			put: async (bytes: Uint8Array) => (room-- > 0 ? puts.push(bytes.slice()) - 1 : null),
			get: async (place: number) => puts[place]!.slice(),
		}
		const source = readTwice(net, images, scratch, NOTHING)
		expect(await collect(source)).toEqual(await collect(source))
		await net.close()
	})
})
