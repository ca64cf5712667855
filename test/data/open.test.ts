import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { splitDataPath } from '../../src/data/data-path.ts'
import { writeNpy } from '../../src/data/npy.ts'
import { openImages } from '../../src/data/open.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { counting, errorOf, writeHdf5 } from './helpers.ts'

describe('splitDataPath', () => {
	it('splits names off behind the extension, and leaves drive letters and other colons alone', () => {
		expect(splitDataPath('valid.h5:images,labels')).toEqual({
			path: 'valid.h5',
			names: { images: 'images', labels: 'labels' },
		})
		expect(splitDataPath('C:\\x.h5')).toEqual({ path: 'C:\\x.h5', names: undefined })
		expect(splitDataPath('C:\\x.h5:group/a')).toEqual({
			path: 'C:\\x.h5',
			names: { images: 'group/a', labels: undefined },
		})
		expect(splitDataPath('a:b/folder')).toEqual({ path: 'a:b/folder', names: undefined })
	})
})

describe('openImages', () => {
	it('recognises every format by its bytes, whatever the name', () =>
		inTemporaryFolder(async (folder) => {
			const npy = writeNpy([2, 5, 5, 3], Float32Array.from(counting(150)))
			await writeHdf5(join(folder, 'x'), {
				data: { shape: [2, 5, 5, 3], data: Uint8Array.from(counting(150)), dtype: '<B' },
			})
			writeFileSync(join(folder, 'y.png'), npy)
			writeFileSync(join(folder, 'z.h5'), zipSync({ 'data.npy': npy }))
			writeFileSync(join(folder, 'w.npy'), 'P6 1 1 255\nabc')
			for (const name of ['x', 'y.png', 'z.h5', 'w.npy']) {
				expect(await errorOf(() => openImages(join(folder, name)))).toBeNull()
			}
		}))

	it('takes names of arrays with the path, unless a file is really called so', () =>
		inTemporaryFolder(async (folder) => {
			const data = { shape: [2, 5, 5, 3], data: Uint8Array.from(counting(150)), dtype: '<B' }
			await writeHdf5(join(folder, 'x.h5'), { mine: data })
			expect(await errorOf(() => openImages(join(folder, 'x.h5')))).toMatchObject({ code: 'no-images' })
			expect(await errorOf(() => openImages(`${join(folder, 'x.h5')}:mine`))).toBeNull()
			await writeHdf5(join(folder, 'x.h5:mine'), { data })
			expect(await errorOf(() => openImages(`${join(folder, 'x.h5')}:mine`))).toBeNull()
		}))

	it('says what is wrong with what is not there, not data, or a model', () =>
		inTemporaryFolder(async (folder) => {
			writeFileSync(join(folder, 'notes.txt'), 'hello')
			writeFileSync(join(folder, 'net.onnx'), Uint8Array.of(8, 7, 18, 7))
			writeFileSync(join(folder, 'net.keras'), zipSync({ 'config.json': new Uint8Array(2) }))
			writeFileSync(join(folder, 'empty.h5'), '')
			writeFileSync(join(folder, 'empty.npz'), '')
			mkdirSync(join(folder, 'nothing'))
			const codes = {
				'absent.h5': 'not-found',
				'absent.h5:a,b': 'not-found',
				'notes.txt': 'unknown-format',
				'net.onnx': 'model-not-data',
				'net.keras': 'model-not-data',
				'empty.h5': 'corrupt-hdf5',
				'empty.npz': 'corrupt-npz',
				nothing: 'empty-set',
			}
			for (const [name, code] of Object.entries(codes)) {
				expect(await errorOf(() => openImages(join(folder, name)))).toMatchObject({ code, exitCode: 3 })
			}
		}))

	it('refuses what is neither file nor folder, which may never end', async () => {
		expect(await errorOf(() => openImages('/dev/zero'))).toMatchObject({ code: 'unknown-format' })
	})
})
