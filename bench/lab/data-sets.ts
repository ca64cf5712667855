/** Where the images of the cells are, and what must be done before they can be read. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DataName } from './cells.ts'

const shared = fileURLToPath(new URL('../../../shared/data', import.meta.url))
/** Debian's package `dataset-fashion-mnist`. */
const FASHION = '/usr/share/datasets/fashion-mnist'

export interface DataSet {
	readonly train: string
	readonly test: string
}

/** @param folder for what must be unpacked */
export function dataSet(name: DataName, folder: string): DataSet {
	switch (name) {
		case 'demo':
			return { train: 'demo:train', test: 'demo:test' }
		case 'fashion-mnist':
			return {
				train: `${FASHION}/train-images-idx3-ubyte.gz`,
				test: `${FASHION}/t10k-images-idx3-ubyte.gz`,
			}
		case 'cifar10':
			return unpackedCifar(join(folder, 'cifar10'))
		case 'gtsrb':
		case 'faces':
			return { train: join(shared, name, `${name}_train.h5`), test: join(shared, name, `${name}_test.h5`) }
	}
}

/** 60,000 JPEGs, 19 MB. Under its own name the folder is whole. */
function unpackedCifar(folder: string): DataSet {
	if (!existsSync(folder)) {
		const archive = join(shared, 'cifar10', 'cifar10_jpeg_all.tar.gz')
		const half = `${folder}.half`
		rmSync(half, { recursive: true, force: true })
		mkdirSync(half, { recursive: true })
		const { status, stderr } = spawnSync('tar', ['-xzf', archive, '-C', half])
		if (status !== 0) throw new Error(`tar cannot unpack ${archive}: ${stderr}`)
		renameSync(half, folder)
	}
	return { train: join(folder, 'train'), test: join(folder, 'test') }
}
