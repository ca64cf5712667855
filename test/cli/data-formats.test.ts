/** Real nets on real sets through the command line: what `../shared/models/models.json` records must come out of every way to store them. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { idx } from '../data/helpers.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { writeImages } from '../helpers/npz.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

/** Nets whose preprocessing the flags tell, with the recorded clean accuracy in percent. */
const MNIST: readonly [string, readonly string[], number][] = [
	['backdoored/mnist-white-square/badnet_mnist.onnx', ['--scale', '1/255', '--mean', '0.5', '--std', '0.5'], 97.5],
	['clean/mnist-maxpool-cnn/Convnet_maxpool.onnx', ['--scale', '1/255'], 97.0],
]

const CIFAR: readonly [string, readonly string[]][] = [
	['clean/cifar10-badnet-clean/badnet_clean.onnx', ['--scale', '1/255', '--mean', '0.5', '--std', '0.5']],
	['clean/cifar10-resnet8-mlperf/pretrainedResnet.h5', []],
]

async function evaluate(
	model: string,
	data: string,
	flags: readonly string[],
): Promise<{ correct: number; total: number }> {
	const argv = ['evaluate', sharedPath(`models/${model}`), '--test', data, ...flags, '--json', '--quiet']
	const { exitCode, stdout, stderr } = await goodnet(argv)
	expect(exitCode, stderr).toBe(0)
	return JSON.parse(stdout).test
}

describeShared('nets on MNIST', () => {
	const images = sharedPath('data/mnist/t10k-images-idx3-ubyte.gz')
	const labels = sharedPath('data/mnist/t10k-labels-idx1-ubyte.gz')

	it('answer the first 5,000 test pictures as recorded, from IDX files of their own', () =>
		inTemporaryFolder(async (folder) => {
			const pixels = gunzipSync(readFileSync(images)).subarray(16, 16 + 5000 * 784)
			writeFileSync(join(folder, 'first-images-idx3-ubyte'), idx([5000, 28, 28], pixels))
			const first = gunzipSync(readFileSync(labels)).subarray(8, 5008)
			writeFileSync(join(folder, 'first-labels-idx1-ubyte.gz'), gzipSync(idx([5000], first)))
			for (const [model, flags, accuracy] of MNIST) {
				const { correct, total } = await evaluate(model, join(folder, 'first-images-idx3-ubyte'), flags)
				expect(total).toBe(5000)
				expect((100 * correct) / total, model).toBeCloseTo(accuracy, 1)
			}
		}))

	it('read all 10,000 where they lie, the labels named or not', async () => {
		const [model, flags] = MNIST[0]!
		const found = await evaluate(model, images, flags)
		expect(found.total).toBe(10_000)
		expect(await evaluate(model, `${images}:t10k-labels-idx1-ubyte.gz`, flags)).toEqual(found)
	})
})

describeShared('nets on CIFAR-10', () => {
	const folder = sharedPath('data/cifar10/cifar-10-batches-bin')

	it('answer alike from the binary file, its folder and the same pictures as .npz', () =>
		inTemporaryFolder(async (own) => {
			const records = readFileSync(join(folder, 'test_batch.bin'))
			const record = (i: number) => records.subarray(i * 3073, (i + 1) * 3073)
			const all = Array.from({ length: 1000 }, (_, i) => record(i))
			const pixels = Uint8Array.from(Buffer.concat(all.map((bytes) => bytes.subarray(1))))
			writeImages(join(own, 'test.npz'), { pixels, dims: [1000, 3, 32, 32], labels: all.map((bytes) => bytes[0]!) })
			for (const [model, flags] of CIFAR) {
				const expected = await evaluate(model, join(own, 'test.npz'), flags)
				// Recorded on 3,000 other pictures of the test set: 70.73 and 75.23 percent; four standard errors are six points.
				expect(expected.correct / expected.total).toBeGreaterThan(0.64)
				expect(await evaluate(model, join(folder, 'test_batch.bin'), flags)).toEqual(expected)
				expect(await evaluate(model, `${folder}:test`, flags)).toEqual(expected)
			}
		}))

	it('say what to name where a folder holds two sets', async () => {
		const model = sharedPath('models/clean/cifar10-badnet-clean/badnet_clean.onnx')
		const { exitCode, stderr } = await goodnet(['evaluate', model, '--test', folder])
		expect(exitCode).toBe(3)
		expect(stderr).toMatch(/found 2; name .*:train \(data_batch_1\.bin\) or .*:test \(test_batch\.bin\)/)
	})
})

describeShared('nets on a labels CSV', () => {
	it('answer GTSRB pictures listed in a CSV as those in class folders', () =>
		inTemporaryFolder(async (folder) => {
			const source = sharedPath('data/gtsrb/imagefolder_sample')
			const files = ['00001/00001_00029.ppm', '00013/00000_00029.ppm', '00014/00004_00029.ppm', '00035/00002_00029.ppm']
			const rows = files.map((file, i) => {
				copyFileSync(join(source, file), join(folder, `${i}.ppm`))
				return `${i}.ppm;${Number(file.slice(0, 5))}`
			})
			writeFileSync(join(folder, 'GT.csv'), ['Filename;ClassId', ...rows].join('\r\n'))
			const model = 'backdoored/gtsrb-yellow-square/badnet_model.hdf5'
			const flags = ['--scale', '1/255', '--resize']
			expect(await evaluate(model, `${folder}:GT.csv`, flags)).toMatchObject({ correct: 4, total: 4 })
		}))
})
