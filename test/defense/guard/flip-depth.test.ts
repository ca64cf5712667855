import { describe, expect, it } from 'vitest'
import { flipDepth } from '../../../src/defense/guard/flip-depth.ts'
import { guardNet } from '../../../src/defense/guard/guard-net.ts'
import { chooseLayer } from '../../../src/defense/prune/layer.ts'
import { answersOf, answersOfFile, makeNets } from './nets.ts'

const ORDER = [3, 0, 4, 1, 2]

async function makeFlips(suspect?: 'early' | 'late') {
	const { badnet, images } = await makeNets()
	const guard = flipDepth(badnet, chooseLayer(badnet, 'layer'), ORDER, { suspect })
	return { badnet, images, guard, guarded: await guardNet(badnet, guard, images, { falseRejectionRate: 25 }) }
}

describe('flipDepth', () => {
	it('scores how early the answer flips along the order, each checkpoint asked in turn', async () => {
		const { badnet, images, guard, guarded } = await makeFlips()
		expect(guard.parameters).toMatchObject({
			layer: 'layer',
			order: ORDER,
			checkpoints: [1, 2, 3, 4],
			suspect: 'early',
		})
		const b = await answersOf(badnet, images)
		const nets = await Promise.all(guard.nets.map((net) => answersOf(net, images)))
		const depths = b.map(({ label }, i) => {
			const first = nets.findIndex((answers) => answers[i]!.label !== label)
			return first < 0 ? nets.length : first
		})
		expect(new Set(depths).size).toBeGreaterThan(2)
		const { labels, suspicion } = await answersOfFile(guarded, images)
		expect([...suspicion].map((score) => 0 - score)).toEqual(depths)
		const { value } = guarded.guard.threshold
		expect([...labels]).toEqual(b.map(({ label }, i) => (-depths[i]! > value ? badnet.classes : label)))
	})

	it('turns around where late flips are the suspicious ones', async () => {
		const [early, late] = [await makeFlips('early'), await makeFlips('late')]
		const scores = async ({ guarded, images }: typeof early) => [...(await answersOfFile(guarded, images)).suspicion]
		expect(await scores(late)).toEqual((await scores(early)).map((score) => 0 - score))
	})

	it('shares everything before the pruned layer: a checkpoint costs a head', async () => {
		const { badnet, guarded, guard } = await makeFlips()
		const count = (op: string, nodes: typeof guarded.graph.nodes) => nodes.filter((node) => node.op === op).length
		expect(count('MaxPool', guarded.graph.nodes)).toBe(1)
		expect(count('Conv', guarded.graph.nodes)).toBe(count('Conv', badnet.graph.nodes) + guard.nets.length)
	})

	it.each([
		[0, /whole number of checkpoints from 1, found 0/],
		[1.5, /found 1.5/],
	])('refuses %d checkpoints', async (checkpoints, message) => {
		const { badnet } = await makeNets()
		expect(() => flipDepth(badnet, chooseLayer(badnet, 'layer'), ORDER, { checkpoints })).toThrow(
			expect.objectContaining({ code: 'bad-checkpoints', message: expect.stringMatching(message) }),
		)
	})

	it('refuses an order too short to stand between nothing and all, and channels that the layer does not have', async () => {
		const { badnet } = await makeNets()
		const layer = chooseLayer(badnet, 'layer')
		expect(() => flipDepth(badnet, layer, [2])).toThrow(expect.objectContaining({ code: 'bad-checkpoints' }))
		expect(() => flipDepth(badnet, layer, [2, 9])).toThrow(expect.objectContaining({ code: 'bad-channels' }))
	})
})
