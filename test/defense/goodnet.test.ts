import { describe, expect, it } from 'vitest'
import { GoodNet } from '../../src/defense/goodnet.ts'
import { chooseLayer } from '../../src/defense/prune/layer.ts'
import { pruneChannels } from '../../src/defense/prune/repaired.ts'
import { sha256Of } from '../../src/files.ts'
import { onnxFile } from '../../src/model/write-back.ts'
import { modelOf } from '../helpers/models.ts'
import { PLAIN_SHAPE, randomCnn } from '../helpers/networks.ts'

/** SHA-256 of the files as they were before there were other guards. */
const FILES = [
	[{}, '481ac3ffefebfba159433d0fb40cb93700f412b782d3315263c22d7c706b036a'],
	[{ normalize: true, channels: 4, classes: 3 }, '66330c52f97093cbac72c365eff54d9c4b8000c690fc1de458997d4c36991306'],
	[
		{ residual: true, channels: 3, classes: 5, seed: 9 },
		'e1b934945239fe2aeb59bcedcfbb360110624a67c2352b782814549c3d53be6a',
	],
] as const

describe('GoodNet.of', () => {
	it.each(FILES)('writes the file that it always wrote, byte for byte: %o', async (over, sha256) => {
		const model = await modelOf(randomCnn({ ...PLAIN_SHAPE, ...over }))
		const repaired = pruneChannels(model, chooseLayer(model, 'layer'), [0, 1])
		const goodnet = GoodNet.of(model, repaired, { repairedSha256: 'ab', classNames: ['a', 'b'] })
		expect(sha256Of(onnxFile(goodnet))).toBe(sha256)
	})
})
