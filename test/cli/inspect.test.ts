import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { InspectResult } from '../../src/contracts/cli-results.ts'
import { renameValues } from '../../src/graph/edit.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { encodeOnnx } from '../../src/graph/onnx.ts'
import { denseNet } from '../helpers/architectures/densenet.ts'
import { resNet } from '../helpers/architectures/resnet.ts'
import { SMALL_NETS } from '../helpers/architectures/small.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'

/** What `goodnet inspect` prints of a net. */
function inspect(graph: Graph, ...flags: string[]): Promise<string> {
	return inTemporaryFolder(async (folder) => {
		const path = join(folder, 'net.onnx')
		writeFileSync(path, encodeOnnx(graph))
		const { stdout, exitCode } = await goodnet(['inspect', path, ...flags])
		expect(exitCode).toBe(0)
		return stdout
	})
}

const places = (text: string) => text.slice(text.indexOf('Prunable layers'))

it('a ResNet: convolutions with their kernels, sums with what they tie, and who reads each', async () => {
	const text = await inspect(resNet({ size: 8, classes: 5, widths: [4, 6] }))
	expect(places(text)).toMatchInlineSnapshot(`
		"Prunable layers (* is the default):
		  layer               shape    channels  zeroed to prune a channel                   read by
		  stem.bn.relu        N×4×8×8         4  kernel and bias of stem.conv                layer1.0.1.conv, sum layer1.0.sum
		  layer1.0.1.bn.relu  N×4×8×8         4  kernel and bias of layer1.0.1.conv          layer1.0.2.conv
		  layer1.0.2.bn       N×4×8×8         4  kernel and bias of layer1.0.2.conv          sum layer1.0.sum
		  layer1.0.sum.relu   N×4×8×8         4  mask: stem.conv + layer1.0.2.conv           layer1.1.1.conv, sum layer1.1.sum
		  layer1.1.1.bn.relu  N×4×8×8         4  kernel and bias of layer1.1.1.conv          layer1.1.2.conv
		  layer1.1.2.bn       N×4×8×8         4  kernel and bias of layer1.1.2.conv          sum layer1.1.sum
		  layer1.1.sum.relu   N×4×8×8         4  mask: layer1.1.2.conv + 2 more              layer2.0.1.conv, layer2.0.skip.conv
		  layer2.0.1.bn.relu  N×6×4×4         6  kernel and bias of layer2.0.1.conv          layer2.0.2.conv
		  layer2.0.2.bn       N×6×4×4         6  kernel and bias of layer2.0.2.conv          sum layer2.0.sum
		  layer2.0.skip.bn    N×6×4×4         6  kernel and bias of layer2.0.skip.conv       sum layer2.0.sum
		  layer2.0.sum.relu   N×6×4×4         6  mask: layer2.0.2.conv + layer2.0.skip.conv  layer2.1.1.conv, sum layer2.1.sum
		  layer2.1.1.bn.relu  N×6×4×4         6  kernel and bias of layer2.1.1.conv          layer2.1.2.conv
		  layer2.1.2.bn       N×6×4×4         6  kernel and bias of layer2.1.2.conv          sum layer2.1.sum
		  layer2.1.sum.relu   N×6×4×4         6  mask: layer2.1.2.conv + 2 more              output
		* pool                N×6×1×1         6  mask: layer2.1.2.conv + 2 more              output
		"
	`)
})

it('a DenseNet: the offsets of each part', async () => {
	const text = await inspect(denseNet({ size: 8, classes: 5, growth: 2, layers: [2] }))
	expect(places(text)).toMatchInlineSnapshot(`
		"Prunable layers (* is the default):
		  layer               shape    channels  zeroed to prune a channel
		  stem.conv           N×4×8×8         4  kernel and bias of stem.conv
		      read by block1.0.1.conv, block1.0.concat at 0
		  block1.0.0.bn.relu  N×4×8×8         4  mask: zeroing stem.conv would change more
		      read by block1.0.1.conv
		  block1.0.1.bn.relu  N×8×8×8         8  kernel and bias of block1.0.1.conv
		      read by block1.0.2.conv
		  block1.0.2.conv     N×2×8×8         2  kernel and bias of block1.0.2.conv
		      read by block1.0.concat at 4
		  block1.0.concat     N×6×8×8         6  mask: stem.conv at 0, block1.0.2.conv at 4
		      read by block1.1.1.conv, block1.1.concat at 0
		  block1.1.0.bn.relu  N×6×8×8         6  mask: stem.conv at 0, block1.0.2.conv at 4
		      read by block1.1.1.conv
		  block1.1.1.bn.relu  N×8×8×8         8  kernel and bias of block1.1.1.conv
		      read by block1.1.2.conv
		  block1.1.2.conv     N×2×8×8         2  kernel and bias of block1.1.2.conv
		      read by block1.1.concat at 6
		  last.bn.relu        N×8×8×8         8  mask: block1.1.2.conv at 6, 2 more
		      read by output
		* pool                N×8×1×1         8  mask: block1.1.2.conv at 6, 2 more
		      read by output
		"
	`)
})

it('fits the terminal with long names and 512 channels, too', async () => {
	const graph = resNet({ size: 8, widths: [8, 512], blocks: 1 })
	const long = renameValues(graph, (name) => (/^layer/.test(name) ? `/backbone/${name}/Output` : name))
	const lines = places(await inspect(long)).split('\n')
	expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120)
	const sum = lines.findIndex((line) => line.includes('layer1.0.sum.relu'))
	expect(lines[sum + 1]).toBe('      read by layer2.0.1.conv, layer2.0.skip.conv')
})

it('tells as JSON of every net what makes, carries and reads each place', async () => {
	for (const { build } of SMALL_NETS) {
		const { layers } = InspectResult.parse(JSON.parse(await inspect(build(), '--json')))
		expect(layers.filter(({ isDefault }) => isDefault)).toHaveLength(1)
		for (const { producers, consumers, intervention, filters, channels, shape, axis } of layers) {
			expect(producers.length).toBeGreaterThan(0)
			expect(consumers.length).toBeGreaterThan(0)
			expect(filters.length > 0).toBe(intervention === 'weights')
			expect(shape[axis]).toBe(channels)
		}
	}
})
