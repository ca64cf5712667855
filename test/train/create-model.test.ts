import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chooseLayer, prunableLayers } from '../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../src/defense/prune/repaired.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { openModel } from '../../src/model/open.ts'
import { saveModel } from '../../src/model/save.ts'
import { onnxFile, sourceFiles } from '../../src/model/write-back.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { ARCHITECTURES, type ArchitectureName } from '../../src/train/architectures/index.ts'
import { createModel } from '../../src/train/create-model.ts'
import { distance } from '../formats/keras/run.ts'
import { logitsOf, randomImages } from '../helpers/models.ts'
import { NETS } from './architectures/nets.ts'

const runtime = await nodeRuntime({ threads: 1 })
const folder = mkdtempSync(join(tmpdir(), 'goodnet-create-'))
afterAll(() => rmSync(folder, { recursive: true }))

function create(name: ArchitectureName, seed = 1): Promise<Model> {
	return createModel(name, NETS[name].input, NETS[name].classes, { seed, runtime })
}

/** Where each net is pruned when nobody says: its last pool. */
const DEFAULT_LAYERS: Readonly<Record<ArchitectureName, string>> = {
	deepid: 'pool_3',
	lenet: 'pool_2',
	'badnets-cnn': 'pool_2',
	'small-cnn': 'pool_3',
	'vgg11-bn': 'global_pool/pooled',
	'preact-resnet18': 'global_pool/pooled',
	'mobilenetv2-small': 'global_pool/pooled',
}

describe.each(Object.keys(ARCHITECTURES) as ArchitectureName[])('a new %s', (name) => {
	let model: Model
	let logits: readonly number[]

	beforeAll(async () => {
		model = await create(name)
		logits = await answers(model)
	})

	it('is a classifier for the images and classes asked for, with its preprocessing and hash', () => {
		const { input, classes } = NETS[name]
		expect(model).toMatchObject({ kind: 'classifier', classes, logits: 'output/logits', output: 'output' })
		expect(model.input).toMatchObject({ ...input, layout: 'NHWC', batch: null })
		expect(model.preprocessing.scale).toBe(name === 'deepid' ? 1 : 1 / 255)
		expect(model.source).toMatchObject({ path: `${name}.h5`, format: 'keras-h5' })
		expect(model.source.sha256).toBe(createHash('sha256').update(model.source.bytes!).digest('hex'))
	})

	it('gives finite logits of a size that training can start from', () => {
		expect(logits.every(Number.isFinite)).toBe(true)
		expect(Math.max(...logits.map(Math.abs))).toBeLessThan(60)
		expect(new Set(logits).size).toBeGreaterThan(logits.length / 2)
	})

	it('is written as .h5 byte for byte as it was made, and as an .onnx that opens with the same preprocessing and answers', async () => {
		expect(Buffer.compare((await sourceFiles(model)).main, model.source.bytes!)).toBe(0)
		const opened = await openModel(onnxFile(model), { path: `${name}.onnx`, sha256: 'none', runtime })
		expect(opened.preprocessing).toEqual(model.preprocessing)
		expect(distance(await answers(opened), logits)).toBe(0)
	})

	it('can be pruned, by default at its last pool', async () => {
		expect(prunableLayers(model).length).toBeGreaterThan(4)
		const layer = chooseLayer(model)
		expect(layer.name).toBe(DEFAULT_LAYERS[name])
		const pruned = pruneChannels(model, layer, [0, 1])
		expect(distance(await answers(pruned), logits)).toBeGreaterThan(0)
	})
})

/** Logits of two images of raw pixels, −1 to 1 as `randomImages` makes them, spread over −255 to 255. */
async function answers(model: Model): Promise<number[]> {
	const raw = { ...model, preprocessing: { ...model.preprocessing, scale: model.preprocessing.scale * 255 } }
	return (await logitsOf(raw, randomImages(model, 2, 1))).flat()
}

describe('createModel', () => {
	it.each(['h5', 'onnx'])(
		'makes models that are saved as .%s and load again with their preprocessing and answers',
		async (ending) => {
			const model = await create('lenet')
			const path = join(folder, `lenet.${ending}`)
			await saveModel(model, path)
			const loaded = await loadModel(path, { runtime })
			expect(loaded.preprocessing).toEqual(model.preprocessing)
			expect(distance(await answers(loaded), await answers(model))).toBe(0)
		},
	)

	it('gives the same bytes for the same seed, and others for another', async () => {
		const [first, second, other] = [await create('lenet', 5), await create('lenet', 5), await create('lenet', 6)]
		expect(Buffer.compare(first.source.bytes!, second.source.bytes!)).toBe(0)
		expect(Buffer.compare(first.source.bytes!, other.source.bytes!)).not.toBe(0)
	})

	it('gives the same bytes on every machine: hashes stored from one', async () => {
		expect((await create('lenet')).source.sha256).toMatchInlineSnapshot(
			`"737873fc5b33eb00eed5d1c252e2baafd79aa9975473ceec6f346dc9979bdb37"`,
		)
		expect((await create('deepid')).source.sha256).toMatchInlineSnapshot(
			`"8d334c3afa99bb33a5ed20513b3ea1ad30af1a2e3ed0177e6147dc6e1a50f8d7"`,
		)
	})

	it.each([-1, 0.5, Number.NaN, 2 ** 32])('refuses the seed %d', async (seed) => {
		await expect(create('lenet', seed)).rejects.toMatchObject({
			code: 'bad-seed',
			message: `seed: expected a whole number from 0 to 4294967295, found ${seed}`,
		})
	})

	it('refuses an unknown name before anything else', async () => {
		const made = createModel('alexnet', NETS.lenet.input, 1, { seed: -1, runtime })
		await expect(made).rejects.toMatchObject({ code: 'unknown-architecture' })
	})
})
