import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { makeAttack } from '../../src/attack/make-attack.ts'
import { StampResult } from '../../src/contracts/attack-run.ts'
import { encodePng } from '../../src/data/decode.ts'
import { imageAt, readImages } from '../../src/data/labelled.ts'
import { openImages } from '../../src/data/open.ts'
import { sha256Of } from '../../src/files.ts'
import { goodnet, inTemporaryFolder } from '../helpers/cli.ts'
import { writeImages } from '../helpers/npz.ts'
import { describeShared, sharedPath } from '../helpers/shared.ts'

const SIZE = { height: 6, width: 7, channels: 3 }
const PIXELS = Uint8Array.from({ length: 12 * 126 }, (_, i) => (i * 37) % 251)
const LABELS = Array.from({ length: 12 }, (_, i) => i % 4)

/** A folder with a clean set `clean.npz`, channels first, of 12 images in 4 classes. */
function withSet(body: (path: (name: string) => string) => Promise<void>): Promise<void> {
	return inTemporaryFolder(async (folder) => {
		const path = (name: string) => join(folder, name)
		writeImages(path('clean.npz'), { pixels: PIXELS, dims: [12, 3, 6, 7], labels: LABELS })
		await body(path)
	})
}

describe('goodnet attack stamp', () => {
	it('writes the attacked images stamped, with the target and the true labels, so that they are read back', () =>
		withSet(async (path) => {
			const argv = ['attack', 'stamp', 'badnets', '--data', path('clean.npz'), '--target', '2', '--size', '2']
			const { exitCode, stdout, stderr } = await goodnet([...argv, '-o', path('poisoned.npz')])
			expect(exitCode, stderr).toBe(0)
			expect(stdout).toMatch(/poisoned\.npz: 9 of 12 images of .*clean\.npz, stamped \(badnets, target 2\)/)
			expect(stdout).toMatch(/left out: 3 that the attack is not after/)
			expect(stdout).toMatch(/goodnet evaluate MODEL --poisoned .*poisoned\.npz\n/)
			const attack = makeAttack('badnets', SIZE, 4, { target: 2, size: 2 })
			const clean = await readImages(await openImages(path('clean.npz')))
			const poisoned = await readImages(await openImages(path('poisoned.npz')))
			const truth = await readImages(await openImages(`${path('poisoned.npz')}:data,true_label`))
			const attacked = LABELS.flatMap((label, i) => (label === 2 ? [] : [i]))
			expect([...poisoned.labels]).toEqual(attacked.map(() => 2))
			expect([...truth.labels]).toEqual(attacked.map((i) => LABELS[i]))
			for (const [to, from] of attacked.entries()) {
				expect(imageAt(poisoned.pixels, to, SIZE)).toEqual(attack.stamp(imageAt(clean.pixels, from, SIZE)))
			}
		}))

	it('--json: the record has every parameter and the digests of what was read and written; same command, same bytes', () =>
		withSet(async (path) => {
			writeFileSync(
				path('red.png'),
				await encodePng({ height: 2, width: 3, channels: 4, pixels: new Uint8Array(24).fill(200) }),
			)
			const argv = ['attack', 'stamp', 'tact', '--data', path('clean.npz'), '--classes', '5', '--target', '0']
			const picture = ['--sources', '2,1', '--picture', path('red.png'), '--row', '1', '--trigger', path('t.png')]
			const { stdout, stderr } = await goodnet([...argv, ...picture, '-o', path('a.npz'), '--json', '--quiet'])
			expect(stderr).toBe('')
			const result = StampResult.parse(JSON.parse(stdout))
			const digest = (name: string) => sha256Of(readFileSync(path(name)))
			expect(result).toEqual({
				schema: 'goodnet/stamp@1',
				attack: {
					name: 'tact',
					parameters: {
						target: 0,
						sources: [1, 2],
						coverClasses: [3, 4],
						coverRatio: 1,
						picture: path('red.png'),
						row: 1,
						column: 2,
					},
					target: 0,
					picture: { path: path('red.png'), sha256: digest('red.png') },
				},
				data: { path: path('clean.npz'), sha256: digest('clean.npz'), images: 12, classes: 5 },
				output: { path: path('a.npz'), sha256: digest('a.npz'), images: 6 },
				trigger: { path: path('t.png'), sha256: digest('t.png') },
			})
			const { data, info } = await sharp(path('t.png')).raw().toBuffer({ resolveWithObject: true })
			expect(info).toMatchObject({ height: 6, width: 7, channels: 4 })
			expect(data.filter((value) => value === 200).length).toBe(24)
			const again = await goodnet([...argv, ...picture, '-o', path('a.npz'), '--force', '--json', '--quiet'])
			expect(again.stdout).toBe(stdout)
		}))

	it('names what is wrong, with the documented exit code, and writes nothing', () =>
		withSet(async (path) => {
			writeFileSync(path('there.npz'), 'precious')
			writeFileSync(path('there.png'), 'precious')
			writeFileSync(path('words.png'), 'no picture')
			writeImages(path('bare.npz'), { pixels: PIXELS, dims: [12, 3, 6, 7], labels: null })
			const before = readdirSync(path('.'))
			const stamp = (name: string, ...flags: string[]) => [
				...['attack', 'stamp', name, '--data', path('clean.npz'), '-o', path('out.npz'), '--quiet'],
				...flags,
			]
			const cases: [string[], number, RegExp][] = [
				[stamp('badnets'), 2, /wants a target label: name one of 0\.\.3 with --target/],
				[stamp('badnets', '--target', '4'), 3, /target label 0\.\.3 .*found 4/],
				[stamp('badnets', '--target', '-1'), 2, /--target: expected a whole number/],
				[stamp('badnets', '--target', '0', '--classes', '3'), 3, /labels 0\.\.2 .*found 3 at image 3/],
				[stamp('badnets', '--target', '0', '--size', '7'), 3, /images of 6×7 .*patch of 7×7.*smaller trigger/],
				[stamp('badnets', '--target', '0', '--grid', '4'), 2, /--grid: badnets takes --target, --pattern/],
				[stamp('badnets', '--target', '0', '--color', '1,2'), 2, /--color: .*found 2 numbers/],
				[stamp('bpp', '--target', '0', '--bits', '9'), 2, /--bits: expected a whole number from 1 to 7, found 9/],
				[stamp('badnest', '--target', '0'), 2, /expected an attack \(none, badnets,.*found "badnest"/],
				[stamp('none'), 2, /none has no trigger/],
				[stamp('sticker', '--target', '0'), 2, /wants a picture/],
				[stamp('sticker', '--target', '0', '--picture', path('no.png')), 3, /no\.png cannot be read/],
				[stamp('sticker', '--target', '0', '--picture', path('words.png')), 3, /words\.png: expected a sound picture/],
				[stamp('badnets', '--target', '0', '--data', path('bare.npz')), 3, /bare\.npz: expected labelled images/],
				[stamp('badnets', '--target', '0', '-o', path('there.npz')), 3, /there\.npz is there already/],
				[stamp('badnets', '--target', '0', '--trigger', path('there.png')), 3, /there\.png is there already/],
				[stamp('badnets', '--target', '0', '--trigger', path('t.gif')), 2, /--trigger: .* ends in \.png/],
				[stamp('badnets', '--target', '0', '-o', path('out.h5')), 2, /--output: expected a name that ends in \.npz/],
				[['attack', 'stamp', 'badnets', '-o', path('out.npz')], 2, /--data: expected the images to stamp/],
				[['attack'], 2, /missing required argument 'attack'/],
			]
			for (const [argv, exitCode, message] of cases) {
				const result = await goodnet(argv)
				expect(result.stderr).toMatch(message)
				expect(result).toMatchObject({ exitCode, stdout: '' })
			}
			expect(readdirSync(path('.'))).toEqual(before)
			expect(readFileSync(path('there.npz'), 'utf8')).toBe('precious')
		}))

	it('stops at Ctrl-C and writes nothing', () =>
		withSet(async (path) => {
			const argv = ['attack', 'stamp', 'badnets', '--data', path('clean.npz'), '--target', '0', '-o', path('out.npz')]
			expect(await goodnet(argv, AbortSignal.abort())).toMatchObject({ exitCode: 130 })
			expect(readdirSync(path('.'))).toEqual(['clean.npz'])
		}))
})

describeShared('goodnet attack stamp, on the real faces of ../shared/data', () => {
	it('pastes the sunglasses as whoever made faces_test_sunglasses.h5 did', () =>
		inTemporaryFolder(async (folder) => {
			const faces = sharedPath('data/faces/faces_test.h5')
			const output = join(folder, 'poisoned.npz')
			const trigger = ['--picture', sharedPath('data/faces/sun_glass_trigger.png'), '--row', '15', '--column', '0']
			const { exitCode, stderr } = await goodnet([
				'attack',
				'stamp',
				'sticker',
				'--data',
				faces,
				'--target',
				'0',
				...trigger,
				'-o',
				output,
				'--quiet',
			])
			expect(exitCode, stderr).toBe(0)
			const size = { height: 55, width: 47, channels: 3 }
			const expected = await readImages(await openImages(sharedPath('data/faces/faces_test_sunglasses.h5')))
			const clean = await readImages(await openImages(faces))
			const ours = await readImages(await openImages(output))
			let to = 0
			for (let i = 0; i < expected.count; i++) {
				if (clean.labels[i] === 0) continue
				const same = Buffer.compare(imageAt(ours.pixels, to++, size), imageAt(expected.pixels, i, size))
				expect(same, `face ${i}`).toBe(0)
			}
			expect(to).toBeGreaterThan(200)
		}))
})
