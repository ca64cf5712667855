/** Every ONNX file of `../shared/models`: the outputs recorded beside it, or a named error. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GoodnetError } from '../../src/errors.ts'
import { decodeOnnx, encodeOnnx } from '../../src/graph/onnx.ts'
import { upgradeOpset } from '../../src/graph/upgrade.ts'
import { runBatch } from '../../src/model/batches.ts'
import { loadModel } from '../../src/model/load.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

const runtime = await nodeRuntime()

/** Files that are refused, and by which error (see `loader-corpus/corpus.json` for why). */
const REFUSED: Readonly<Record<string, string>> = {
	'branched_model_ch_last.onnx': 'not-runnable',
	'simple_model.onnx': 'corrupt-onnx',
	'student_infected.onnx': 'external-data',
	'test_nano.onnx': 'not-an-image-model',
	'three_layer_bn_pytorch.onnx': 'not-an-image-model',
}

function filesUnder(folder: string): string[] {
	if (!existsSync(folder)) return []
	return readdirSync(folder, { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.onnx'))
		.map((name) => join(folder, name))
}

describeShared('ONNX files of other makers', () => {
	for (const path of filesUnder(sharedPath('models')).filter((each) => !each.includes('/operators/'))) {
		const name = path.slice(sharedPath('models/').length)
		const refusal = REFUSED[path.split('/').at(-1)!]
		it(`${name}: ${refusal ? `refused as ${refusal}` : 'gives the recorded outputs'}`, async () => {
			if (refusal) {
				const error = await loadModel(path, { runtime }).catch((thrown: unknown) => thrown)
				expect(error).toBeInstanceOf(GoodnetError)
				expect((error as GoodnetError).code).toBe(refusal)
				return
			}
			const model = await loadModel(path, { runtime })
			if (!existsSync(`${path}.ref.json`)) return
			const { shape, output } = JSON.parse(readFileSync(`${path}.ref.json`, 'utf8'))
			const data = new Float32Array(new Uint8Array(readFileSync(`${path}.ref.input.f32`)).buffer)
			// From encoded bytes, so that what we write is what was meant.
			const session = await runtime.load(decodeOnnx(encodeOnnx(model.graph)))
			const results = await runBatch(
				session,
				{ [model.input.name]: { dims: shape, data } },
				shape[0],
				model.input.batch,
			)
			await session.close()
			const found = results[model.output]!.data as Float32Array
			for (const [i, value] of output.flat(Infinity).entries()) {
				// 1e-4, relative for logits in the thousands (the CNTK net works on raw pixels).
				expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(value)))
			}
		}, 60_000)
	}

	describe('single operators of ONNX’ own test suite, opset 6 restated as 7', () => {
		const root = sharedPath('models/loader-corpus/onnx/operators')
		for (const name of existsSync(root) ? readdirSync(root) : []) {
			it(name, async () => {
				const graph = upgradeOpset(decodeOnnx(readFileSync(join(root, name, 'model.onnx'))))
				const read = (file: string) => JSON.parse(readFileSync(join(root, name, file), 'utf8'))
				const [input, expected] = [read('input_0.json'), read('output_0.json')]
				const session = await runtime.load(graph)
				const feed = {
					dims: input.dims ?? input.shape,
					data: Float32Array.from((input.data ?? input.values).flat(Infinity)),
				}
				const results = await session.run({ [graph.inputs[0]!.name]: feed })
				const found = results[graph.outputs[0]!.name]!.data as Float32Array
				for (const [i, value] of (expected.data ?? expected.values).flat(Infinity).entries())
					expect(found[i]).toBeCloseTo(value, 4)
			})
		}
	})
})
