/** The net that the BadNets paper attacks on MNIST (Gu et al. 2017, arXiv:1708.06733, table 1). */
import { type Architecture, UNIT_PIXELS } from './architecture.ts'

/** Two convolutions of 5×5 with average pools behind, a dense layer of 512. 281,034 parameters at 28×28×1 and 10 classes. */
export const badnetsCnn: Architecture = {
	smallest: 16,
	preprocessing: UNIT_PIXELS,
	build: (net, classes) => {
		const conv1 = net.conv(net.input, 'conv_1', 16, { kernel: 5, padding: 'valid', activation: 'relu' })
		const pool1 = net.averagePool(conv1, 'pool_1')
		const conv2 = net.conv(pool1, 'conv_2', 32, { kernel: 5, padding: 'valid', activation: 'relu' })
		const flat = net.flatten(net.averagePool(conv2, 'pool_2'), 'flatten')
		const fc1 = net.dense(flat, 'fc_1', 512, { activation: 'relu' })
		return net.dense(fc1, 'output', classes, { activation: 'softmax' })
	},
}
