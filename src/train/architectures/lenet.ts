/**
 * LeNet-5 (LeCun et al. 1998, section II.B) as it is trained today: ReLU for tanh, maximum for the trained averages, a dense layer for the
 * partial connections and for the radial basis functions at the end. 61,706 parameters at 28×28×1 and 10 classes.
 */
import { type Architecture, UNIT_PIXELS } from './architecture.ts'

/** Two convolutions of 5×5, the first padded as in the paper's 32×32 frame, and dense layers of 120 and 84. */
export const lenet: Architecture = {
	smallest: 12,
	preprocessing: UNIT_PIXELS,
	build: (net, classes) => {
		const conv1 = net.conv(net.input, 'conv_1', 6, { kernel: 5, activation: 'relu' })
		const pool1 = net.maxPool(conv1, 'pool_1')
		const conv2 = net.conv(pool1, 'conv_2', 16, { kernel: 5, padding: 'valid', activation: 'relu' })
		const flat = net.flatten(net.maxPool(conv2, 'pool_2'), 'flatten')
		const fc1 = net.dense(flat, 'fc_1', 120, { activation: 'relu' })
		const fc2 = net.dense(fc1, 'fc_2', 84, { activation: 'relu' })
		return net.dense(fc2, 'output', classes, { activation: 'softmax' })
	},
}
