/**
 * DeepID (Sun et al. 2014, "Deep Learning Face Representation from Predicting 10,000 Classes"), as the backdoor lab's nets have it: CSAW
 * HackML 2020, lab 3. Names of layers, settings and the scale of the first weights are those of the lab's own files.
 */
import { RAW } from '../../data/preprocess.ts'
import type { Architecture } from './architecture.ts'
import { truncatedNormalOf } from './initializers.ts'
import type { Feature, Net } from './net.ts'

/** The lab's: so small that raw pixels up to 255 still give small logits. */
const INITIALIZER = truncatedNormalOf(0.01)

/** Four convolutions; the dense layers see the maps before and after the last. 601,643 parameters at 55×47×3 and 1,283 classes. */
export const deepid: Architecture = {
	smallest: 31,
	preprocessing: RAW,
	build: (net, classes) => {
		const pool1 = net.maxPool(conv(net, net.input, 'conv_1', 20, 4), 'pool_1')
		const pool2 = net.maxPool(conv(net, pool1, 'conv_2', 40, 3), 'pool_2')
		const pool3 = net.maxPool(conv(net, pool2, 'conv_3', 60, 3), 'pool_3')
		const conv4 = conv(net, pool3, 'conv_4', 80, 2)
		const flat1 = net.flatten(pool3, 'flatten_1')
		const flat2 = net.flatten(conv4, 'flatten_2')
		const fc1 = net.dense(flat1, 'fc_1', 160, { initializer: INITIALIZER })
		const fc2 = net.dense(flat2, 'fc_2', 160, { initializer: INITIALIZER })
		const features = net.relu(net.add(fc1, fc2, 'add_1'), 'activation_1')
		return net.dense(features, 'output', classes, { activation: 'softmax', initializer: INITIALIZER })
	},
}

function conv(net: Net, x: Feature, name: string, filters: number, kernel: number): Feature {
	return net.conv(x, name, filters, { kernel, padding: 'valid', activation: 'relu', initializer: INITIALIZER })
}
