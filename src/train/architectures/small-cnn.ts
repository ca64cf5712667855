/** The plain net that small pictures are tried with first. */
import { type Architecture, UNIT_PIXELS } from './architecture.ts'

/** Three convolutions of 3×3 with 32, 64 and 64 filters, each with a max pool behind, and a dense layer of 128. */
export const smallCnn: Architecture = {
	smallest: 8,
	preprocessing: UNIT_PIXELS,
	build: (net, classes) => {
		const pool3 = [32, 64, 64].reduce((x, filters, index) => {
			const conv = net.conv(x, `conv_${index + 1}`, filters, { activation: 'relu' })
			return net.maxPool(conv, `pool_${index + 1}`)
		}, net.input)
		const hidden = net.dense(net.flatten(pool3, 'flatten'), 'fc_1', 128, { activation: 'relu' })
		return net.dense(hidden, 'output', classes, { activation: 'softmax' })
	},
}
