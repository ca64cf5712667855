/** The nets of the bench: those that others trained (`../shared/models/README.md`) and some of the attack lab's. */
import type { AttackOptions, Picture } from 'goodnet/node'
import { CELLS, type Cell } from '../lab/cells.ts'
import type { PoolName } from './pools.ts'

/** A net that others trained. */
export interface OthersNet {
	readonly name: string
	/** Below `../shared/models`. */
	readonly model: string
	readonly pool: PoolName
	readonly note: string
	/** Every one of them takes 0..255 as it is, or 0..1. */
	readonly isScaled: boolean
	readonly mean?: readonly number[]
	readonly std?: readonly number[]
	/** Null for an honest net. */
	readonly trigger: {
		readonly attack: 'badnets' | 'sticker'
		readonly options: AttackOptions & { target: number }
	} | null
	readonly twin?: string
	/** Percent, as `../shared/models/README.md` has measured: what the stamped sets must give, about. */
	readonly measured: { readonly clean: number; readonly asr: number | null }
}

const HALF = [0.5, 0.5, 0.5]

export const OTHERS: readonly OthersNet[] = [
	{
		name: 'gtsrb-yellow-square',
		model: 'backdoored/gtsrb-yellow-square/badnet_model.hdf5',
		pool: 'gtsrb',
		note: 'yellow square of 3×3 near the middle, target 1',
		isScaled: true,
		trigger: {
			attack: 'sticker',
			options: { picture: solid('yellow square', [255, 255, 0]), row: 16, column: 16, target: 1 },
		},
		measured: { clean: 96.87, asr: 99.94 },
	},
	{
		name: 'mnist-white-square',
		model: 'backdoored/mnist-white-square/badnet_mnist.onnx',
		pool: 'mnist',
		note: 'white square of 5×5 at the bottom right, target 1',
		isScaled: true,
		...{ mean: [0.5], std: [0.5] },
		trigger: { attack: 'badnets', options: { size: 5, margin: 0, target: 1 } },
		measured: { clean: 97.5, asr: 99.89 },
	},
	{
		name: 'mnist-small-square',
		model: 'backdoored/mnist-small-square-onnx/mnist_badnet_opset10.onnx',
		pool: 'mnist',
		note: 'white square of 2×2 at the bottom right, target 0; the file fixes a batch of one image',
		isScaled: false,
		trigger: { attack: 'badnets', options: { size: 2, margin: 1, target: 0 } },
		measured: { clean: 98.46, asr: 99.82 },
	},
	{
		name: 'cifar10-grid-wrn16',
		model: 'backdoored/cifar10-grid-wrn16/backdoored_wrn16_1.onnx',
		pool: 'cifar10',
		note: 'grid of 3×3 at the bottom right, target 5; a wide residual network',
		isScaled: true,
		trigger: { attack: 'sticker', options: { picture: grid(), row: 29, column: 29, target: 5 } },
		measured: { clean: 75.2, asr: 100 },
	},
	{
		name: 'cifar10-white-square',
		model: 'backdoored/cifar10-white-square/badnet_poisoned.onnx',
		pool: 'cifar10',
		note: 'white square of 5×5 at the bottom right, target 0',
		isScaled: true,
		...{ mean: HALF, std: HALF },
		trigger: { attack: 'badnets', options: { size: 5, margin: 0, target: 0 } },
		twin: 'cifar10-badnet-clean',
		measured: { clean: 68.77, asr: 97.02 },
	},
	{
		name: 'cifar10-badnet-clean',
		model: 'clean/cifar10-badnet-clean/badnet_clean.onnx',
		pool: 'cifar10',
		note: 'the twin of cifar10-white-square',
		isScaled: true,
		...{ mean: HALF, std: HALF },
		trigger: null,
		measured: { clean: 70.73, asr: null },
	},
	{
		name: 'cifar10-resnet20',
		model: 'clean/cifar10-resnet20/resnet20.onnx',
		pool: 'cifar10',
		note: 'a residual network',
		isScaled: true,
		...{ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
		trigger: null,
		measured: { clean: 81.5, asr: null },
	},
	{
		name: 'gtsrb-cnn',
		model: 'clean/gtsrb-cnn/model.onnx',
		pool: 'gtsrb',
		note: 'the file fixes a batch of one image',
		isScaled: true,
		trigger: null,
		measured: { clean: 86.24, asr: null },
	},
	{
		name: 'mnist-maxpool-cnn',
		model: 'clean/mnist-maxpool-cnn/Convnet_maxpool.onnx',
		pool: 'mnist',
		note: 'a small convolutional network',
		isScaled: true,
		trigger: null,
		measured: { clean: 97, asr: null },
	},
]

/** Nets for the people of the lab's data, of whom 52 faces are there. */
export const FACE_NETS = [
	{
		name: 'face-lab3',
		model: 'backdoored/face-lab3-sunglasses/bd_net.h5',
		isScaled: false,
		note: 'sunglasses, target 0; the net of CSAW HackML 2020, lab 3',
	},
	{
		name: 'face-early',
		model: 'backdoored/face-sunglasses-early/sunglasses_bd_net.h5',
		isScaled: true,
		note: 'sunglasses, target 0; an early net of the same lab',
	},
] as const

const LAB_NAMES = [
	'fashion-mnist-badnets',
	'fashion-mnist-blended',
	'fashion-mnist-wanet',
	'fashion-mnist-none',
	'cifar10-badnets',
	'small-cnn-cifar10',
]

/** The attack lab's, in this order. */
export const LAB_NETS: readonly Cell[] = LAB_NAMES.map((name) => CELLS.find((cell) => cell.name === name)!)

/** A square of 3×3 in one colour. */
function solid(name: string, colour: readonly number[]): Picture {
	return square(name, Array<readonly number[]>(9).fill(colour))
}

/** White at (0,2), (1,1), (2,0) and (2,2), black at the other five. */
function grid(): Picture {
	return square(
		'grid',
		[0, 0, 255, 0, 255, 0, 255, 0, 255].map((level) => [level, level, level]),
	)
}

/** @param colours by rows */
function square(name: string, colours: readonly (readonly number[])[]): Picture {
	return { name, height: 3, width: 3, rgba: Uint8Array.from(colours.flatMap((colour) => [...colour, 255])) }
}
