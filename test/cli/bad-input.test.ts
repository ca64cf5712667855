/** Everything a user can get wrong, or a stranger can send: one line that names the thing, and the documented exit code. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { writeNpy } from '../../src/data/npy.ts'
import { floatTensor } from '../../src/graph/graph.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { resNet } from '../helpers/architectures/resnet.ts'
import { vit } from '../helpers/architectures/vit.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { PLAIN_SHAPE, randomCnn, randomValues } from '../helpers/networks.ts'
import { writeImages } from '../helpers/npz.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

const SHAPE = { ...PLAIN_SHAPE, size: 6, colours: 3, channels: 4, classes: 4, seed: 3 }

/** A folder with a net and a set that fit, to be spoilt by a test; `run` checks that nothing is left behind. */
async function withFixture(body: (fixture: Fixture) => Promise<void>): Promise<void> {
	await inTemporaryFolder(async (folder) => {
		const path = (name: string) => join(folder, name)
		writeFileSync(path('net.onnx'), encodeOnnx(randomCnn(SHAPE)))
		writeSet(path('valid.npz'), (i) => i % SHAPE.classes)
		const before = readdirSync(folder)
		const fixture: Fixture = {
			path,
			async fails(argv, exitCode, message) {
				const present = new Set([...before, ...readdirSync(folder)])
				const result = await goodnet(argv)
				expect(result.stderr).toMatch(message)
				expect(result.exitCode).toBe(exitCode)
				expect(result.stdout).toBe('')
				expect(
					result.stderr
						.trim()
						.split('\n')
						.filter((line) => line.startsWith('goodnet: ')),
				).toHaveLength(1)
				expect(readdirSync(folder).filter((name) => !present.has(name))).toEqual([])
			},
			prune: (...flags) => ['prune', path('net.onnx'), '--quiet', '-o', path('run'), ...flags],
		}
		await body(fixture)
	})
}

interface Fixture {
	path(name: string): string
	fails(argv: readonly string[], exitCode: number, message: RegExp): Promise<void>
	prune(...flags: string[]): string[]
}

function writeSet(path: string, labelOf: (i: number) => number, count = 12): void {
	const random = randomValues(7)
	const pixels = Uint8Array.from({ length: count * 3 * 36 }, () => (random() + 1) * 127)
	writeImages(path, { pixels, dims: [count, 3, 6, 6], labels: Array.from({ length: count }, (_, i) => labelOf(i)) })
}

describe('bad models', () => {
	it('a truncated .onnx', () =>
		withFixture(async ({ path, fails, prune }) => {
			const bytes = readFileSync(path('net.onnx'))
			writeFileSync(path('net.onnx'), bytes.subarray(0, bytes.length / 2))
			await fails(prune('--valid', path('valid.npz')), 3, /net\.onnx: not a readable ONNX model/)
		}))

	it('a file that is no model, a web page, a Git LFS pointer, an empty file, a pickle: each by what it is', () =>
		withFixture(async ({ path, fails, prune }) => {
			const argv = prune('--valid', path('valid.npz'))
			const kinds: [string | Uint8Array, RegExp][] = [
				['just some words', /expected a model as ONNX, Keras \.h5 or \.keras, or TF\.js model\.json/],
				['<!DOCTYPE html><html></html>', /web page/],
				['version https://git-lfs.github.com/spec/v1\noid sha256:12', /git lfs pull/],
				['', /empty file/],
				[Uint8Array.of(0x80, 2, 0x7d, 0x71), /pickle.*never opens/],
			]
			for (const [content, message] of kinds) {
				writeFileSync(path('net.onnx'), content)
				await fails(argv, 3, message)
			}
		}))

	it('no such file', () =>
		withFixture(async ({ path, fails }) => {
			await fails(['inspect', path('nowhere.h5')], 3, /nowhere\.h5 cannot be read/)
		}))

	it('NaN in the weights, by tensor', () =>
		withFixture(async ({ path, fails, prune }) => {
			const graph = randomCnn(SHAPE)
			const bias = floatTensor([SHAPE.classes], [0, Number.NaN, 0, 0])
			const spoilt = { ...graph, initializers: new Map([...graph.initializers, ['dense/bias', bias]]) }
			writeFileSync(path('net.onnx'), encodeOnnx(spoilt))
			await fails(prune('--valid', path('valid.npz')), 3, /dense\/bias hold NaN or infinity at element 1/)
		}))

	it('an operator that nobody knows, by name', () =>
		withFixture(async ({ path, fails, prune }) => {
			const graph = randomCnn(SHAPE)
			const nodes = graph.nodes.map((node) => (node.op === 'MaxPool' ? { ...node, op: 'MagicPool' } : node))
			writeFileSync(path('net.onnx'), encodeOnnx({ ...graph, nodes }))
			await fails(prune('--valid', path('valid.npz')), 3, /MagicPool/)
		}))

	it('a layer that is not there: the answer lists those that are', () =>
		withFixture(async ({ path, fails, prune }) => {
			await fails(
				prune('--valid', path('valid.npz'), '--layer', 'pool_9'),
				3,
				/no layer is called pool_9; .* act_1, layer/,
			)
		}))
})

describe('nets without a convolution to prune', () => {
	it('a vision transformer: says which convolution is none, and which layers can be pruned instead', () =>
		withFixture(async ({ path, fails, prune }) => {
			writeFileSync(path('net.onnx'), encodeOnnx(vit({ size: 16 })))
			const message =
				/net\.onnx: no convolution to prune here: patch_embed cuts the image into patches.*block0\.mlp\.fc1, block1\.mlp\.fc1/
			await fails(prune('--channels', '0'), 3, message)
			const { stdout, exitCode } = await goodnet(['inspect', path('net.onnx')])
			expect(exitCode).toBe(0)
			expect(stdout).toMatch(/^ {2}no convolution to prune here: patch_embed/m)
		}))

	it('names that are not there, values that are the answer, a mere number: each by name', () =>
		withFixture(async ({ path, fails, prune }) => {
			writeFileSync(path('net.onnx'), encodeOnnx(resNet({ size: 8, classes: 5, widths: [4, 6], blocks: 1 })))
			const layer = (name: string) => prune('--channels', '0', '--layer', name)
			await fails(layer('layer9'), 3, /no layer is called layer9; .*layer1\.0\.sum\.relu, .*pool/)
			await fails(layer('output'), 3, /output is not among what the answer is computed from/)
			await fails(prune('--channels', '6', '--layer', 'pool'), 3, /layer pool has channels 0\.\.5; found 6/)
		}))
})

describe('bad data', () => {
	it('images of another shape, with the way out', () =>
		withFixture(async ({ path, fails, prune }) => {
			writeImages(path('valid.npz'), { pixels: new Uint8Array(2 * 3 * 64), dims: [2, 3, 8, 8], labels: [0, 1] })
			await fails(prune('--valid', path('valid.npz')), 3, /valid\.npz.*6.*8/)
		}))

	it('labels counted from one, and labels out of range', () =>
		withFixture(async ({ path, fails, prune }) => {
			writeSet(path('valid.npz'), (i) => (i % SHAPE.classes) + 1)
			await fails(prune('--valid', path('valid.npz')), 3, /labels 0\.\.3 .* found 4; they seem to be counted from one/)
			writeSet(path('valid.npz'), (i) => i)
			await fails(
				prune('--valid', path('valid.npz')),
				3,
				/labels 0\.\.3 .* found 4; these images may belong to another model/,
			)
		}))

	it('NaN pixels, by image', () =>
		withFixture(async ({ path, fails, prune }) => {
			const pixels = new Float32Array(3 * 3 * 36)
			pixels[3 * 36 + 5] = Number.NaN
			writeFileSync(path('valid.npy'), writeNpy([3, 3, 6, 6], pixels))
			await fails(prune('--valid', path('valid.npy')), 3, /valid\.npy: expected finite pixels, found NaN in image 1/)
		}))

	it('an empty set, as an array and as a folder', () =>
		withFixture(async ({ path, fails, prune }) => {
			writeImages(path('valid.npz'), { pixels: new Uint8Array(0), dims: [0, 3, 6, 6], labels: [] })
			await fails(prune('--valid', path('valid.npz')), 3, /valid\.npz.*at least one image|empty/i)
			mkdirSync(path('empty'))
			await fails(prune('--valid', path('empty')), 3, /empty/)
		}))

	it('a folder with a corrupt JPEG, by file', () =>
		withFixture(async ({ path, fails, prune }) => {
			for (const name of ['a', 'b', 'c', 'd']) {
				mkdirSync(path(`faces/${name}`), { recursive: true })
				const image = sharp({ create: { width: 6, height: 6, channels: 3, background: name === 'a' ? 'red' : 'blue' } })
				writeFileSync(path(`faces/${name}/1.jpg`), await image.jpeg().toBuffer())
			}
			const whole = readFileSync(path('faces/c/1.jpg'))
			writeFileSync(path('faces/c/1.jpg'), whole.subarray(0, whole.length / 2))
			await fails(prune('--valid', path('faces')), 3, /1\.jpg/)
		}))

	it('a folder with more classes than the model has', () =>
		withFixture(async ({ path, fails, prune }) => {
			for (const name of ['a', 'b', 'c', 'd', 'e']) {
				mkdirSync(path(`faces/${name}`), { recursive: true })
				await sharp({ create: { width: 6, height: 6, channels: 3, background: 'red' } })
					.png()
					.toFile(path(`faces/${name}/1.png`))
			}
			await fails(prune('--valid', path('faces')), 3, /labels 0\.\.3 \(the model has 4 classes\), found 4/)
		}))

	it('a poisoned set with mixed labels and no --target', () =>
		withFixture(async ({ path, fails, prune }) => {
			const argv = prune('--valid', path('valid.npz'), '--poisoned', path('valid.npz'))
			await fails(argv, 3, /labels are all the target, found labels of 4 classes; name the target with --target/)
			await fails([...argv, '--target', '9'], 3, /target 9 is no class of the model/)
		}))

	it('a zip bomb in an .npz, before it is unpacked', () =>
		withFixture(async ({ path, fails, prune }) => {
			const header = writeNpy([2 ** 24, 3, 6, 6], new Float32Array(0))
			writeFileSync(path('valid.npz'), zipSync({ 'data.npy': header }))
			await fails(prune('--valid', path('valid.npz')), 3, /valid\.npz/)
		}))

	it('a net that answers at chance: prune stops and says which scaling would do, evaluate warns', () =>
		withFixture(async ({ path, fails, prune }) => {
			const { pixels, labels } = brightSquares()
			writeImages(path('valid.npz'), { pixels, dims: [labels.length, 1, 4, 4], labels })
			writeFileSync(path('net.onnx'), encodeOnnx(brightnessNet()))
			const diagnosis = /no better than chance; with --scale 1\/255 would give 100\.0 %/
			await fails(prune('--valid', path('valid.npz')), 3, diagnosis)
			const evaluated = await goodnet(['evaluate', path('net.onnx'), '--test', path('valid.npz'), '--json'])
			expect(evaluated.exitCode).toBe(0)
			expect(evaluated.stderr).toMatch(diagnosis)
			expect(JSON.parse(evaluated.stdout).test).toEqual({ correct: 20, total: 40, rejected: null })
		}))
})

describe('bad calls', () => {
	it('an output folder that is not empty, before any work', () =>
		withFixture(async ({ path, fails, prune }) => {
			mkdirSync(path('run'))
			writeFileSync(path('run/precious.txt'), 'mine')
			await fails(
				prune('--valid', path('valid.npz')),
				3,
				/run: expected a new or empty folder, found precious\.txt in it.*--force/,
			)
			expect(readFileSync(path('run/precious.txt'), 'utf8')).toBe('mine')
		}))

	it('unknown options, missing arguments, values out of range: exit code 2 and where to look', () =>
		withFixture(async ({ path, fails, prune }) => {
			await fails(['prune', path('net.onnx'), '--frobnicate'], 2, /unknown option '--frobnicate'.*--help/)
			await fails(['prune'], 2, /missing required argument 'model'/)
			await fails(['frob'], 2, /unknown command 'frob'/)
			await fails(prune(), 2, /--valid PATH/)
			await fails(
				prune('--valid', path('valid.npz'), '--drops', '2,x'),
				2,
				/--drops: expected points separated by commas, as in 2,4,10, found "2,x"/,
			)
			await fails(prune('--valid', path('valid.npz'), '--drops', '0'), 2, /--drops: drops are points above 0/)
			await fails(prune('--channels', '1,1'), 3, /channel 1 is named twice/)
			await fails(prune('--channels', '7'), 3, /channels 0\.\.3; found 7/)
			await fails(prune('--channels', '1', '--drops', '2'), 2, /--channels prunes exactly those/)
			await fails(prune('--valid', path('valid.npz'), '--scale', '0'), 2, /--scale: expected a number other than 0/)
			await fails(['evaluate', path('net.onnx')], 2, /--test PATH, --poisoned PATH/)
		}))

	it('an order file that holds no channel numbers', () =>
		withFixture(async ({ path, fails, prune }) => {
			writeFileSync(path('order.txt'), '0, one, 2')
			await fails(prune('--valid', path('valid.npz'), '--order', path('order.txt')), 3, /order\.txt: .* found "one"/)
		}))
})

describeShared('bad Keras files', () => {
	const net = () => readFileSync(sharedPath('csaw/model_B_2.h5'))

	it('weights without an architecture: names the flag', () =>
		withFixture(async ({ fails }) => {
			await fails(['inspect', sharedPath('csaw/bd_weights.h5')], 3, /holds weights only.*--architecture FILE/)
		}))

	it('a truncated .h5', () =>
		withFixture(async ({ path, fails }) => {
			writeFileSync(path('cut.h5'), net().subarray(0, 100_000))
			await fails(['inspect', path('cut.h5')], 3, /cut\.h5/)
		}))

	it('a bit flipped in the superblock of an .h5', () =>
		withFixture(async ({ path, fails }) => {
			const bytes = Buffer.from(net())
			bytes[8]! ^= 0x40
			writeFileSync(path('flipped.h5'), bytes)
			await fails(['inspect', path('flipped.h5')], 3, /flipped\.h5/)
		}))

	it('a data set offered as a model, and a model offered as data', () =>
		withFixture(async ({ path, fails, prune }) => {
			await fails(['inspect', sharedPath('csaw/mini_valid.h5')], 3, /looks like a data set/)
			await fails(prune('--valid', sharedPath('csaw/model_B_2.h5')), 3, /model/)
			await fails(prune('--valid', path('net.onnx')), 3, /model/)
		}))

	it('images for another net', () =>
		withFixture(async ({ fails }) => {
			const argv = ['evaluate', sharedPath('csaw/model_B_2.h5'), '--test', sharedPath('data/gtsrb/gtsrb_test.h5')]
			await fails(argv, 3, /gtsrb_test\.h5.*55.*47/)
		}))
})

/** Images whose class is their brightness: 0 dark, 1 bright, around 100 of 255. */
function brightSquares() {
	const labels = Array.from({ length: 40 }, (_, i) => i % 2)
	return { labels, pixels: Uint8Array.from({ length: 40 * 16 }, (_, i) => (labels[Math.floor(i / 16)] ? 140 : 60)) }
}

/** Answers 1 for images whose mean is above 0.4, so it wants pixels in 0..1. */
function brightnessNet() {
	const graph = randomCnn({ ...SHAPE, size: 4, colours: 1, channels: 1, classes: 2 })
	const kernel = (scale: number) => floatTensor([1, 1, 3, 3], [0, 0, 0, 0, scale, 0, 0, 0, 0])
	const changed = new Map([
		['conv_1/kernel', kernel(1)],
		['conv_1/bias', floatTensor([1], [0])],
		['conv_2/kernel', kernel(1)],
		['conv_2/bias', floatTensor([1], [0])],
		['dense/kernel', floatTensor([4, 2], [0, 1, 0, 1, 0, 1, 0, 1])],
		['dense/bias', floatTensor([2], [1.6, 0])],
	])
	return { ...graph, initializers: new Map([...graph.initializers, ...changed]) }
}
