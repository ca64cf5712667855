/** ResNet-18: the sweep over all 512 channels of the last stage against one forward pass. */
import { predictLabels, prune } from 'goodnet/node'
import { alternate, ratios } from '../harness/rounds.ts'
import { spreadOf } from '../harness/statistics.ts'
import type { Bench } from '../row.ts'
import { noiseImages, resNet18 } from '../subjects/resnet18.ts'

const IMAGES = 512

export const resnet18: Bench = {
	name: 'resnet18',
	async run({ rounds, folder }) {
		const net = await resNet18(folder)
		const images = noiseImages(IMAGES)
		const { layer, order } = await prune(net, noiseImages(1))
		const seconds = await alternate(
			{ forward: () => predictLabels(net, images), sweep: () => prune(net, images) },
			rounds,
		)
		return [
			{
				what: `whole sweep, ResNet-18 at 32×32, ${order.length} channels of the last stage ÷ one forward pass`,
				figure: spreadOf(ratios(seconds, 'sweep', 'forward')),
				unit: '×',
				must: { atMost: 1.2 },
				aim: { atMost: 1.05 },
				note: `batch normalization unfused, random weights, ${IMAGES} images of noise, layer ${layer.name} (${layer.intervention})`,
				raw: seconds,
			},
		]
	},
}
