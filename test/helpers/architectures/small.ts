/** Every architecture at a size that tests can afford by the dozen, for loops over all of them. */
import type { Graph } from '../../../src/graph/graph.ts'
import type { ArchitectureOptions } from './builder.ts'
import { denseNet } from './densenet.ts'
import { mobileNet } from './mobilenet.ts'
import { preActResNet, resNet } from './resnet.ts'
import { resNeXt } from './resnext.ts'
import { squeezeExciteNet } from './squeeze-excite.ts'
import { vgg } from './vgg.ts'

export interface SmallNet {
	readonly name: string
	/** The net on 8×8 images with 5 classes, unless `options` say otherwise. */
	build(options?: ArchitectureOptions): Graph
}

const TINY = { size: 8, classes: 5 }

/** All convolutional ones; `vit` stands alone. */
export const SMALL_NETS: readonly SmallNet[] = [
	{ name: 'ResNet', build: (options) => resNet({ ...TINY, widths: [4, 6], blocks: 1, ...options }) },
	{ name: 'PreActResNet', build: (options) => preActResNet({ ...TINY, widths: [4, 6], blocks: 1, ...options }) },
	{
		name: 'VGG',
		build: (options) => vgg({ ...TINY, widths: [4, 5, 6], stages: 2, ...options }),
	},
	{ name: 'DenseNet', build: (options) => denseNet({ ...TINY, growth: 2, ...options }) },
	{ name: 'MobileNetV2', build: (options) => mobileNet({ ...TINY, widths: [4, 4, 6, 8], ...options }) },
	{ name: 'SE-ResNet', build: (options) => squeezeExciteNet({ ...TINY, widths: [4, 6], ...options }) },
	{
		name: 'SE-ResNet, dense gates',
		build: (options) => squeezeExciteNet({ ...TINY, widths: [4, 6], gate: 'dense', ...options }),
	},
	{ name: 'ResNeXt', build: (options) => resNeXt({ ...TINY, ...options }) },
]
