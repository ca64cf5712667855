/** The face net: the whole sweep, and a GoodNet, against one forward pass over the same images. */
import { GoodNet, predictLabels, prune } from 'goodnet/node'
import { alternate, ratios } from '../harness/rounds.ts'
import { spreadOf } from '../harness/statistics.ts'
import type { Bench } from '../row.ts'
import { faceSubject } from '../subjects/faces.ts'
import { tile } from '../subjects/tile.ts'

const IMAGES = 4000

export const faceNet: Bench = {
	name: 'face-net',
	async run({ rounds }) {
		const { name, net, faces } = await faceSubject()
		const { images } = await tile(faces, IMAGES)
		const small = await prune(net, faces, { drops: [10] })
		const goodnet = GoodNet.of(net, small.repaired(10))
		const seconds = await alternate(
			{
				forward: () => predictLabels(net, images),
				sweep: () => prune(net, images),
				goodnet: () => predictLabels(goodnet, images),
			},
			rounds,
		)
		const note = `${name} tiled to ${IMAGES}; all ${small.order.length} steps, ranking included`
		const common = { unit: '×', raw: seconds } as const
		return [
			{
				...common,
				what: `whole sweep, face net, ${small.order.length} channels ÷ one forward pass`,
				figure: spreadOf(ratios(seconds, 'sweep', 'forward')),
				must: { atMost: 2.2 },
				aim: { atMost: 1.5 },
				note,
			},
			{
				...common,
				what: 'GoodNet file ÷ B alone, same images',
				figure: spreadOf(ratios(seconds, 'goodnet', 'forward')),
				must: { atMost: 1.12 },
				aim: { atMost: 1.05 },
				note: `${name} tiled to ${IMAGES}; the 10-point net as partner`,
			},
		]
	},
}
