/** ONNX models with their weights in files beside them, built here as PyTorch's dynamo exporter writes them. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { TensorProto_DataLocation } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { chooseLayer } from '../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../src/defense/prune/repaired.ts'
import { GoodnetError } from '../../src/errors.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { decodeOnnx } from '../../src/graph/onnx.ts'
import { loadModel } from '../../src/model/load.ts'
import { saveModel } from '../../src/model/save.ts'
import { onnxFile, sourceFiles } from '../../src/model/write-back.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { damaged, GRAPH, IMAGES, logitsOf, openWith, rewritten, runtime } from '../helpers/exported.ts'
import { distance, run } from './keras/run.ts'

/** Every weight of more than four bytes outside, one behind the other at multiples of 64, as PyTorch's exporter aligns them to pages. */
function withExternalData(graph: Graph, location = 'net.onnx.data') {
	const parts: Uint8Array[] = []
	let offset = 0
	const bytes = rewritten(graph, (model) => {
		for (const tensor of model.graph!.initializer) {
			const { rawData } = tensor
			delete (tensor as { rawData?: Uint8Array }).rawData
			tensor.dataLocation = TensorProto_DataLocation.EXTERNAL
			const entries = { location, offset: String(offset), length: String(rawData.length) }
			tensor.externalData = Object.entries(entries).map(([key, value]) => ({
				$typeName: 'onnx.StringStringEntryProto',
				key,
				value,
			}))
			const padded = new Uint8Array(Math.ceil(rawData.length / 64) * 64)
			padded.set(rawData)
			parts.push(padded)
			offset += padded.length
		}
	})
	return { bytes, data: Uint8Array.from(parts.flatMap((part) => [...part])) }
}

describe('external data', () => {
	const { bytes, data } = withExternalData(GRAPH)

	it('gives the same answers as the model in one file, and one file when saved as .onnx', async () => {
		const model = await openWith(bytes, new Map([['net.onnx.data', data]]))
		const [whole] = await run(GRAPH, [IMAGES])
		const [outside] = await run(model.graph, [IMAGES])
		expect(distance(outside!.values, whole!.values)).toBe(0)
		const [single] = await run(decodeOnnx(onnxFile(model)), [IMAGES])
		expect(distance(single!.values, whole!.values)).toBe(0)
	})

	it('takes a repair in the file that holds the weights, in those bytes alone', async () => {
		const model = await openWith(bytes, new Map([['net.onnx.data', data]]))
		const repaired = pruneChannels(model, chooseLayer(model, 'layer'), [1])
		const { main, beside } = await sourceFiles(repaired)
		expect(Buffer.compare(main, bytes)).toBe(0)
		const written = beside.get('net.onnx.data')!
		const changed = [...data.keys()].filter((at) => data[at] !== written[at])
		expect(changed.length).toBeGreaterThan(0)
		expect(changed.length).toBeLessThanOrEqual((9 + 1) * 4)
		const [reread] = await run(decodeOnnx(main, undefined, beside), [IMAGES])
		const [pruned] = await run(repaired.graph, [IMAGES])
		expect(distance(reread!.values, pruned!.values)).toBe(0)
		expect((await sourceFiles(model)).beside.get('net.onnx.data')).toEqual(data)
	})

	it('is refused where it leads out of the folder, is missing, or too short', () =>
		inTemporaryFolder(async (folder) => {
			const place = join(folder, 'model')
			mkdirSync(place)
			const path = join(place, 'net.onnx')
			writeFileSync(join(folder, 'secret'), data)
			for (const location of ['../secret', join(folder, 'secret'), 'a/../../secret']) {
				writeFileSync(path, withExternalData(GRAPH, location).bytes)
				await expect(loadModel(path, { runtime })).rejects.toMatchObject({ code: 'unsafe-path' })
			}
			writeFileSync(path, bytes)
			await expect(loadModel(path, { runtime })).rejects.toThrow(/expected the file net\.onnx\.data beside it/)
			symlinkSync('../secret', join(place, 'net.onnx.data'))
			await expect(loadModel(path, { runtime })).rejects.toMatchObject({ code: 'unsafe-path' })
			await expect(openWith(bytes, new Map([['net.onnx.data', data.subarray(0, 100)]]))).rejects.toThrow(
				/expected bytes \d+ to \d+ of net\.onnx\.data, which has 100/,
			)
		}))

	it('goes through prune and predict, in and back out in its own form', () =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'net.onnx')
			writeFileSync(path, bytes)
			writeFileSync(join(folder, 'net.onnx.data'), data)
			const out = join(folder, 'run')
			const { exitCode, stdout } = await goodnet([
				'prune',
				path,
				'--channels',
				'1',
				'--layer',
				'layer',
				'-o',
				out,
				'--json',
			])
			expect(exitCode).toBe(0)
			expect(JSON.parse(stdout).repaired[0].files.source).toBe('repaired_1_channels_onnx/net.onnx')
			const repaired = await loadModel(join(out, 'repaired_1_channels_onnx/net.onnx'), { runtime })
			const single = await loadModel(join(out, 'repaired_1_channels.onnx'), { runtime })
			expect(await logitsOf(repaired)).toEqual(await logitsOf(single))
			expect((await goodnet(['inspect', repaired.source.path])).stdout).toContain('net.onnx, net.onnx.data')
			await saveModel(repaired, join(folder, 'again.onnx'))
			expect(await logitsOf(await loadModel(join(folder, 'again.onnx'), { runtime }))).toEqual(await logitsOf(single))
		}))

	it('gives a graph or a named error whatever is damaged', async () => {
		await fc.assert(
			fc.asyncProperty(damaged(bytes), async (file) => {
				const read = async () => decodeOnnx(file, 'net.onnx', new Map([['net.onnx.data', data]]))
				const result = await read().catch((error: unknown) => error)
				if (result instanceof Error) expect(result, String(result.stack)).toBeInstanceOf(GoodnetError)
			}),
			{ numRuns: 300 },
		)
	})
})
