import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { parsePartNames, readingsOf } from '../../src/data/data-path.ts'
import { writeNpy } from '../../src/data/npy.ts'
import { openImages } from '../../src/data/open.ts'
import { inTemporaryFolder } from '../helpers/cli.ts'
import { counting, errorOf, idx, writeHdf5 } from './helpers.ts'

describe('readingsOf', () => {
	it('offers what stands before each colon, the longest first, and leaves drive letters alone', () => {
		expect(readingsOf('valid.h5:images,labels')).toEqual([
			{ path: 'valid.h5:images,labels', names: undefined },
			{ path: 'valid.h5', names: 'images,labels' },
		])
		expect(readingsOf('C:\\x.h5')).toEqual([{ path: 'C:\\x.h5', names: undefined }])
		expect(readingsOf('C:\\x.h5:group/a').map(({ path }) => path)).toEqual(['C:\\x.h5:group/a', 'C:\\x.h5'])
		expect(readingsOf('a:b/photos:labels.csv').map(({ names }) => names)).toEqual([
			undefined,
			'labels.csv',
			'b/photos:labels.csv',
		])
		expect(readingsOf('x.h5:')).toHaveLength(1)
	})
})

describe('parsePartNames', () => {
	it('takes images, labels or both, and refuses more', () => {
		expect(parsePartNames('a,b/c')).toEqual({ images: 'a', labels: 'b/c' })
		expect(parsePartNames('a')).toEqual({ images: 'a' })
		expect(parsePartNames(',b')).toEqual({ labels: 'b' })
		expect(() => parsePartNames('a,b,c')).toThrow(/"a,b,c": expected two names as in images,labels, found 3/)
	})
})

describe('openImages', () => {
	it('recognises every format by its bytes, whatever the name', () =>
		inTemporaryFolder(async (folder) => {
			const npy = writeNpy([2, 5, 5, 3], Float32Array.from(counting(150)))
			const images = idx([2, 5, 5], counting(50))
			writeFileSync(join(folder, 'v.bin'), images)
			writeFileSync(join(folder, 'u'), gzipSync(images))
			copyFileSync(fileURLToPath(new URL('../files/parquet/zstd-v1.parquet', import.meta.url)), join(folder, 't.jpg'))
			await writeHdf5(join(folder, 'x'), {
				data: { shape: [2, 5, 5, 3], data: Uint8Array.from(counting(150)), dtype: '<B' },
			})
			writeFileSync(join(folder, 'y.png'), npy)
			writeFileSync(join(folder, 'z.h5'), zipSync({ 'data.npy': npy }))
			writeFileSync(join(folder, 'w.npy'), 'P6 1 1 255\nabc')
			for (const name of ['x', 'y.png', 'z.h5', 'w.npy', 'v.bin', 'u', 't.jpg']) {
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

	it('takes the labels alone by name, and no names where there is but one array', () =>
		inTemporaryFolder(async (folder) => {
			const bytes = (shape: number[], values: number[]) => ({ shape, data: Uint8Array.from(values), dtype: '<B' })
			await writeHdf5(join(folder, 'x.h5'), { data: bytes([2, 5, 5, 3], counting(150)), truth: bytes([2], [7, 8]) })
			const set = await openImages(`${join(folder, 'x.h5')}:,truth`)
			expect([...set.labels!]).toEqual([7, 8])
			set.close()
			writeFileSync(join(folder, 'x.npy'), writeNpy([2, 5, 5, 3], Float32Array.from(counting(150))))
			const error = await errorOf(() => openImages(`${join(folder, 'x.npy')}:data`))
			expect(error).toMatchObject({ code: 'bad-names', exitCode: 2 })
		}))

	it('says what is wrong with what is not there, not data, or a model', () =>
		inTemporaryFolder(async (folder) => {
			writeFileSync(join(folder, 'notes.txt'), 'hello')
			writeFileSync(join(folder, 'net.onnx'), Uint8Array.of(8, 7, 18, 7))
			writeFileSync(join(folder, 'net.keras'), zipSync({ 'config.json': new Uint8Array(2) }))
			writeFileSync(join(folder, 'empty.h5'), '')
			writeFileSync(join(folder, 'empty.npz'), '')
			writeFileSync(join(folder, 'empty.parquet'), '')
			writeFileSync(join(folder, 'empty.csv'), '')
			writeFileSync(join(folder, 'empty.bin'), '')
			writeFileSync(join(folder, 'empty.idx'), '')
			writeFileSync(join(folder, 'empty.gz'), gzipSync(new Uint8Array()))
			mkdirSync(join(folder, 'nothing'))
			const codes = {
				'absent.h5': 'not-found',
				'absent.h5:a,b': 'not-found',
				'notes.txt': 'unknown-format',
				'net.onnx': 'model-not-data',
				'net.keras': 'model-not-data',
				'empty.h5': 'corrupt-hdf5',
				'empty.npz': 'corrupt-npz',
				'empty.parquet': 'corrupt-parquet',
				'empty.csv': 'empty-set',
				'empty.bin': 'empty-set',
				'empty.idx': 'corrupt-idx',
				'empty.gz': 'corrupt-idx',
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
