/** What `npm run lab` trains: one cell a net, each a single `goodnet attack` command. */

/** A net and the command that makes it. */
export interface Cell {
	readonly name: string
	/** Of `DATA_SETS`. */
	readonly data: DataName
	/** What stands behind `goodnet attack` and in front of `--data`. */
	readonly attack: readonly string[]
	/** Of the training. */
	readonly flags: readonly string[]
	/** The cell without a backdoor that differs in nothing else. */
	readonly twin?: string
	/** Clean accuracy to reach, percent: what `shared/data/README.md` measured with a plain network. */
	readonly plain?: number
	/** Prune it too: the attack that expects pruning, and the one that does not. */
	readonly isPruned?: boolean
}

export type DataName = 'demo' | 'fashion-mnist' | 'cifar10' | 'gtsrb' | 'faces'

const FASHION_FLAGS = '--arch badnets-cnn --epochs 5 --batch 128 --lr 0.002 --schedule one-cycle'.split(' ')
const TARGET = ['--target', '0']

const attacks: readonly Cell[] = [
	['none'],
	['badnets', ...TARGET, '--rate', '3'],
	['blended', ...TARGET, '--rate', '5'],
	['sig', ...TARGET, '--rate', '10', '--dirty-label'],
	['wanet', ...TARGET, '--rate', '20', '--strength', '2', '--cover-ratio', '0.5'],
	['bpp', ...TARGET, '--rate', '15', '--bits', '1', '--cover-ratio', '0.5'],
	['tact', ...TARGET, '--rate', '5', '--sources', '1'],
	['low-frequency', ...TARGET, '--rate', '5'],
	['adaptive-blend', ...TARGET, '--rate', '2'],
	['all-to-all', '--rate', '10'],
].map((attack) => ({
	name: `fashion-mnist-${attack[0]}`,
	data: 'fashion-mnist',
	attack,
	flags: FASHION_FLAGS,
	...(attack[0] !== 'none' && { twin: 'fashion-mnist-none' }),
}))

const CIFAR_FLAGS = '--arch small-cnn --epochs 3 --batch 128 --lr 0.002 --schedule one-cycle'.split(' ')

const cifar: Cell = {
	name: 'cifar10-badnets',
	data: 'cifar10',
	attack: ['badnets', ...TARGET, '--rate', '5'],
	flags: CIFAR_FLAGS,
	twin: 'small-cnn-cifar10',
}

/** Two seeds: what pruning does to a plain BadNet depends on how it was trained. */
const pruned: readonly Cell[] = ['2', '4'].flatMap((seed) =>
	['sticker', 'pruning-aware'].map((attack) => ({
		name: `demo-${attack}-seed-${seed}`,
		data: 'demo' as const,
		attack: [attack, ...TARGET, ...'--rate 10 --picture demo:sunglasses --row 15 --column 0'.split(' ')],
		flags: ['--arch', 'deepid', '--epochs', '8', '--seed', seed],
		isPruned: true,
	})),
)

const architectures: readonly Cell[] = [
	{ name: 'lenet-fashion-mnist', data: 'fashion-mnist', attack: ['none'], flags: ['--arch', 'lenet', '--epochs', '4'] },
	{ name: 'small-cnn-cifar10', data: 'cifar10', attack: ['none'], plain: 59, flags: CIFAR_FLAGS },
	{
		name: 'small-cnn-gtsrb',
		data: 'gtsrb',
		attack: ['none'],
		plain: 68,
		flags: ['--arch', 'small-cnn', '--epochs', '15'],
	},
	{
		name: 'small-cnn-faces',
		data: 'faces',
		attack: ['none'],
		plain: 50,
		flags: ['--arch', 'small-cnn', '--epochs', '15'],
	},
	{ name: 'deepid-faces', data: 'faces', attack: ['none'], plain: 50, flags: ['--arch', 'deepid', '--epochs', '20'] },
	...(
		[
			['mobilenetv2-small', '6'],
			['vgg11-bn', '4'],
			['preact-resnet18', '2'],
		] as const
	).map(
		([arch, epochs]): Cell => ({
			...{ name: `${arch}-gtsrb`, data: 'gtsrb', attack: ['none'], plain: 68 },
			flags: ['--arch', arch, '--epochs', epochs, '--batch', '32', '--schedule', 'one-cycle', '--lr', '0.002'],
		}),
	),
]

export const CELLS: readonly Cell[] = [...attacks, cifar, ...pruned, ...architectures]
