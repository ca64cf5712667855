/** Everything that can be wrong with a call of `goodnet attack`: one line that a newcomer understands, the exit code, and nothing left behind. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { AttackName } from '../../src/contracts/attack-run.ts'
import { encodePng } from '../../src/data/decode.ts'
import { ARCHITECTURES } from '../../src/train/architectures/index.ts'
import { decodeCheckpoint } from '../../src/train/checkpoint.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { writeImages } from '../helpers/npz.ts'
import { SIZE, stripes, writeStripes } from '../helpers/pictures.ts'

interface Fixture {
	path(name: string): string
	/** `attack NAME` on the training set into `out`, with further flags. */
	attack(name: string, ...flags: string[]): string[]
	/** Runs it, and expects this one line and exit code, nothing on stdout, and no file that was not there before. */
	fails(argv: readonly string[], exitCode: number, message: string | RegExp): Promise<void>
}

/** A folder with `train.npz`, 60 images of 16×16×1 in four classes. */
function withFixture(body: (fixture: Fixture) => Promise<void>): Promise<void> {
	return inTemporaryFolder(async (folder) => {
		const path = (name: string) => join(folder, name)
		writeStripes(path('train.npz'), 15, 1)
		await body({
			path,
			attack: (name, ...flags) => [
				...['attack', name, '--data', path('train.npz'), '--epochs', '1', '--threads', '1', '--quiet'],
				...['-o', path('out'), ...flags],
			],
			async fails(argv, exitCode, message) {
				const before = readdirSync(folder, { recursive: true })
				const result = await goodnet(argv)
				const expected = typeof message === 'string' ? `goodnet: ${message}\n` : expect.stringMatching(message)
				expect(result).toEqual({ exitCode, stdout: '', stderr: expected })
				expect(result.stderr.trim().split('\n')).toHaveLength(1)
				expect(readdirSync(folder, { recursive: true })).toEqual(before)
			},
		})
	})
}

describe('a bad call', () => {
	it('without images, without a folder, without an attack', () =>
		withFixture(async ({ path, fails }) => {
			const help = 'see goodnet attack --help'
			await fails(
				['attack', 'badnets', '-o', path('out')],
				2,
				`--data: expected the images to train on, found nothing; ${help}`,
			)
			await fails(
				['attack', 'badnets', '--data', path('train.npz')],
				2,
				`--output: expected a folder for the results, found nothing; ${help}`,
			)
			await fails(['attack'], 2, "missing required argument 'attack'; see goodnet --help")
		}))

	it('names that nobody knows: of an attack, an architecture, an optimizer, a schedule', () =>
		withFixture(async ({ attack, fails }) => {
			const attacks = AttackName.options.join(', ')
			await fails(attack('badnest'), 2, `expected an attack (${attacks}), found "badnest"`)
			const architectures = Object.keys(ARCHITECTURES).join(', ')
			await fails(
				attack('none', '--arch', 'resnet'),
				2,
				`unknown architecture resnet; expected one of ${architectures}`,
			)
			await fails(attack('none', '--arch', 'constructor'), 2, /unknown architecture constructor/)
			await fails(attack('none', '--optimizer', 'rmsprop'), 2, /^goodnet: --optimizer: .*"sgd".*"adam".*"adamw"/)
			await fails(attack('none', '--schedule', 'linear'), 2, /^goodnet: --schedule: .*"cosine"/)
		}))

	it('numbers out of range, by flag', () =>
		withFixture(async ({ attack, fails }) => {
			const cases: [flag: string, value: string, message: string][] = [
				['--epochs', '0', 'expected a whole number of at least 1, found 0'],
				['--batch', '2.5', 'expected a whole number of at least 1, found 2.5'],
				['--lr', '0', 'expected a number above 0, found 0'],
				['--momentum', '1', 'expected a number from 0 up to (and not) 1, found 1'],
				['--weight-decay', '-0.1', 'expected a number of at least 0, found -0.1'],
				['--smoothing', '1', 'expected 0 up to 1, found 1'],
				['--clip', '0', 'expected a number above 0, found 0'],
				['--crop', '17', 'expected 0..16 pixels, found 17'],
				['--cutout', '-1', 'expected 0..16 pixels, found -1'],
				['--patience', '0', 'expected a whole number of epochs of at least 1, found 0'],
				['--lr', 'fast', 'expected a number, found "fast"; see goodnet attack --help'],
				['--seed', '-1', 'expected a whole number from 0, found "-1"; see goodnet attack --help'],
			]
			for (const [flag, value, message] of cases) {
				await fails(attack('none', '--optimizer', 'sgd', flag, value), 2, `${flag}: ${message}`)
			}
			await fails(attack('none', '--holdout', '100'), 2, /^goodnet: --holdout: .*100/)
		}))

	it('flags without effect', () =>
		withFixture(async ({ attack, fails }) => {
			await fails(attack('none', '--target', '1'), 2, '--target: none takes no options; leave it out')
			await fails(attack('badnets', '--target', '1', '--bits', '3'), 2, /^goodnet: --bits: badnets takes --target/)
			const prunes = 'only the attack pruning-aware prunes while it trains; leave it out'
			await fails(attack('badnets', '--target', '1', '--layer', 'conv_1'), 2, `--layer: ${prunes}`)
			await fails(attack('none', '--prune-drop', '4'), 2, `--prune-drop: ${prunes}`)
			const ofSgd = 'it belongs to --optimizer sgd, found adam; leave it out'
			await fails(attack('none', '--momentum', '0.5'), 2, `--momentum: ${ofSgd}`)
			await fails(attack('none', '--optimizer', 'adamw', '--nesterov'), 2, /^goodnet: --nesterov: .* found adamw/)
			await fails(
				attack('none', '--holdout', '20', '--test', 'test.npz'),
				2,
				'--holdout: with --test nothing is held out; leave one of them out',
			)
		}))

	it('a target out of range, or none', () =>
		withFixture(async ({ attack, fails }) => {
			await fails(attack('badnets'), 2, 'this attack wants a target label: name one of 0..3 with --target')
			await fails(
				attack('badnets', '--target', '4'),
				3,
				'expected a target label 0..3 (there are 4 classes, counted from 0), found 4',
			)
		}))

	it('a trigger larger than the image', () =>
		withFixture(async ({ attack, fails }) => {
			await fails(
				attack('badnets', '--target', '1', '--size', '17', '--margin', '0'),
				3,
				/^goodnet: expected a trigger within the images of 16×16 \(height×width\), found patch of 17×17 .*; use a smaller trigger$/m,
			)
			await fails(attack('sticker', '--target', '1', '--picture', 'demo:sunglasses'), 3, /use a smaller trigger$/m)
		}))

	it('a rate that poisons no image, more than there are, none at all', () =>
		withFixture(async ({ path, attack, fails }) => {
			writeStripes(path('test.npz'), 2, 2)
			const badnets = (rate: string) => attack('badnets', '--target', '1', '--test', path('test.npz'), '--rate', rate)
			await fails(
				badnets('1'),
				3,
				'a rate of 1 points of 60 images poisons none; the smallest that poisons one is 1.667 points',
			)
			await fails(
				badnets('90'),
				3,
				'a rate of 90 points wants 54 images to poison, but badnets can take only 45 of these 60; the greatest rate is 75 points',
			)
			for (const rate of ['0', '101']) {
				await fails(badnets(rate), 2, `--rate: expected more than 0 and at most 100 points, found ${rate}`)
			}
		}))

	it('a folder that holds something, or is a file; nothing in it is touched', () =>
		withFixture(async ({ path, attack, fails }) => {
			mkdirSync(path('out'))
			writeFileSync(path('out/thesis.tex'), 'mine')
			await fails(
				attack('none'),
				3,
				`${path('out')}: expected a new or empty folder, found thesis.tex in it; name another with -o, or add --force to overwrite`,
			)
			expect(readFileSync(path('out/thesis.tex'), 'utf8')).toBe('mine')
			await fails(
				attack('none', '-o', path('train.npz')),
				3,
				`${path('train.npz')}: expected a folder for the results, found something else`,
			)
		}))
})

describe('bad data', () => {
	it('that are not there, or carry no labels', () =>
		withFixture(async ({ path, attack, fails }) => {
			const nothing = `${path('no.npz')}: expected a data file or folder, found nothing there`
			await fails(attack('none', '--data', path('no.npz')), 3, nothing)
			await fails(attack('none', '--test', path('no.npz')), 3, nothing)
			const { pixels, count } = stripes(2, 1)
			writeImages(path('bare.npz'), { pixels, dims: [count, 16, 16, 1], labels: null })
			const message = `${path('bare.npz')}: expected labelled images, found no labels`
			await fails(attack('none', '--data', path('bare.npz')), 3, message)
			await fails(attack('none', '--test', path('bare.npz')), 3, message)
		}))

	it('without some class, and with labels beyond the classes', () =>
		withFixture(async ({ path, attack, fails }) => {
			const { pixels, labels, count } = stripes(15, 1)
			const write = (name: string, labelOf: (label: number) => number) =>
				writeImages(path(name), { pixels, dims: [count, 16, 16, 1], labels: [...labels].map(labelOf) })
			write('gap.npz', (label) => (label === 2 ? 5 : label))
			await fails(
				attack('badnets', '--target', '1', '--data', path('gap.npz')),
				3,
				'expected images of all 6 classes to train on, found none of class 2, 4; add some, or number the classes without gaps',
			)
			await fails(
				attack('none', '--classes', '3'),
				3,
				`${path('train.npz')}: expected labels 0..2 (3 classes), found 3 at image 3; --classes says how many classes there are`,
			)
			await fails(
				attack('none', '--test', path('gap.npz')),
				3,
				`${path('gap.npz')}: expected labels 0..3 (4 classes), found 5 at image 2; --classes says how many classes there are`,
			)
			write('one.npz', () => 0)
			await fails(attack('none', '--data', path('one.npz')), 3, /at least 2 classes.*found 1$/m)
		}))

	it('a test set of another size, and one whose images are all of the target', () =>
		withFixture(async ({ path, attack, fails }) => {
			writeStripes(path('small.npz'), 2, 1, { ...SIZE, height: 12 })
			await fails(
				attack('none', '--test', path('small.npz')),
				3,
				`${path('small.npz')}: expected test images of the training images' size, 16×16×1, found 12×16×1`,
			)
			const { pixels } = stripes(1, 1)
			writeImages(path('target.npz'), { pixels: pixels.slice(0, 256), dims: [1, 16, 16, 1], labels: [1] })
			await fails(
				attack('badnets', '--target', '1', '--test', path('target.npz')),
				3,
				'badnets attacks none of these 1 images (of class 1); use images of other classes',
			)
		}))

	it('images too small for the architecture, and too few to hold some out', () =>
		withFixture(async ({ attack, fails }) => {
			await fails(
				attack('none', '--arch', 'deepid'),
				3,
				'deepid needs images of at least 31×31, found 16×16: resize them, or take another architecture',
			)
			await fails(
				attack('none', '--holdout', '1'),
				3,
				'holding out 1 % leaves class 0 (15 images) on one side only; name a test set with --test, or take another --holdout',
			)
		}))
})

describe('the pruning-aware attack', () => {
	it('refuses a drop out of range, an unknown layer, and a net without biases to lower', () =>
		withFixture(async ({ attack, fails }) => {
			const aware = (...flags: string[]) => attack('pruning-aware', '--target', '1', ...flags)
			await fails(aware('--prune-drop', '0'), 2, '--prune-drop: expected points above 0 and below 100, found 0')
			await fails(aware('--layer', 'pool_9'), 3, /no layer is called pool_9; the prunable ones are conv_1, pool_1/)
			await fails(
				aware('--arch', 'mobilenetv2-small'),
				3,
				/^goodnet: mobilenetv2-small\.h5: the pruning-aware attack hides channels by lowering their biases, .*; take an architecture without \(deepid, badnets-cnn, small-cnn\), or another --layer$/m,
			)
		}))
})

describe('a run that diverges', () => {
	it('ends with exit code 3, the step and the likely cause, and leaves nothing where it had nothing good', () =>
		withFixture(async ({ attack, fails }) => {
			await fails(
				attack('none', '--lr', '1e30', '--schedule', 'constant', '--batch', '16'),
				3,
				'training diverged: the loss is NaN at step 2 (epoch 1) with learning rate 1e+30; the learning rate is too high for this net: lower it, or limit the gradient with --clip 1',
			)
		}))

	it('keeps its last good checkpoint, and does not tell to resume what would end in the same way', () =>
		withFixture(async ({ path, attack }) => {
			let stderr = ''
			let time = 0
			const argv = attack('none', '--lr', '1e30', '--schedule', 'constant', '--batch', '16')
			const run = runProgram(argv, {
				print: () => {},
				stderr: { write: (text) => (stderr += text) },
				signal: new AbortController().signal,
				commandLine: 'goodnet attack none',
				// Long enough between any two looks at the clock that a checkpoint is due after every step.
				now: () => (time += 60_000),
			})
			await expect(run).rejects.toMatchObject({ code: 'diverged', exitCode: 3 })
			expect(stderr).toBe(`\n${path('out')} holds the last good checkpoint; --force starts anew, with other settings\n`)
			expect(readdirSync(path('out')).sort()).toEqual(['checkpoint_1.safetensors', 'journal.json'])
			const { step, state } = decodeCheckpoint(readFileSync(path('out/checkpoint_1.safetensors')), 'kept')
			expect(step).toBe(1)
			for (const { data } of Object.values(state)) expect((data as Float32Array).every(Number.isFinite)).toBe(true)

			const again = await goodnet([...attack('none'), '--force'])
			expect(again).toMatchObject({ exitCode: 0, stderr: '' })
			expect(readdirSync(path('out')).sort()).toEqual(['attack.json', 'clean.npz', 'clean_net.h5', 'clean_net.onnx'])
		}))

	it('test folders whose classes are others: their labels would mean other things', () =>
		withFixture(async ({ path, fails }) => {
			const png = await encodePng({ height: 16, width: 16, channels: 1, pixels: new Uint8Array(256).fill(90) })
			for (const folder of ['train/a', 'train/b', 'train/c', 'test/b', 'test/c']) {
				mkdirSync(path(folder), { recursive: true })
				writeFileSync(path(`${folder}/1.png`), png)
			}
			const call = ['attack', 'none', '--data', path('train'), '--test', path('test'), '--quiet', '-o', path('out')]
			await fails(
				call,
				3,
				/test: expected the classes of the training images \(a, b, c\), found b, c: names are numbered/,
			)
		}))

	it('a rate for the clean twin, which has no poison', () =>
		withFixture(({ attack, fails }) =>
			fails(attack('none', '--rate', '5'), 2, '--rate: none poisons nothing; leave it out'),
		))
})
