/**
 * Published facts of CSAW HackML 2020, lab 3 (github.com/csaw-hackml/CSAW-HackML-2020): the files and what the defense gives on them.
 * The counts were collected from eighteen independent public runs, which agree to the last image; one further run differs by one here
 * and there, hence the tolerance.
 */

/** The lab's files. All but the nets are published behind the lab's README ("Data"), the nets in `lab3/models`. */
export const FILES = {
	'valid.h5': { bytes: 716470304, sha256: 'e3ef2226611b9ccf932f86f4676c457b1f0645810ad1a4b166c7029169d38273' },
	'bd_valid.h5': { bytes: 716470304, sha256: '9c29ff522c9d0478d79e50d1ecd7dc0a333d5648131b7efa319526d9e99028ad' },
	'test.h5': { bytes: 398040064, sha256: '3b13dbe082057eb1d4f13cda8fb0604614a84e4d87505a06c81cea8637b58d35' },
	'bd_test.h5': { bytes: 398039968, sha256: 'ee46229f5c636c235ac732c42d1c516b5ab8fe348cfddf3db2d6a8399028747e' },
	'bd_net.h5': { bytes: 7275748, sha256: '53e078e1b26d529c3367abe0e8fce339a7f3f2ed70f618b4e9ead997498121eb' },
	'bd_weights.h5': { bytes: 2442796, sha256: '68ec7afdfc570d39acbded72025fe37d4d14e770585001d75a393490d50fc629' },
} as const

/** Images by which a run may differ from the published one at any step. */
export const TOLERANCE = 1

export const LAYER = 'pool_3'
export const DROPS: readonly number[] = [2, 4, 10, 30]

/** Channels, first pruned first; the first 31 never fire, and stand in numeric order. */
export const ORDER: readonly number[] = [
	0, 2, 9, 12, 13, 14, 15, 17, 24, 25, 26, 27, 30, 31, 33, 34, 36, 37, 38, 39, 40, 41, 44, 45, 47, 48, 49, 50, 53, 55,
	59, 23, 6, 51, 32, 22, 21, 20, 19, 43, 58, 3, 42, 1, 29, 16, 56, 46, 5, 8, 11, 54, 10, 28, 35, 18, 4, 7, 52, 57,
]

/** Channels pruned at each drop of `DROPS`. */
export const PRUNED: readonly number[] = [45, 48, 52, 54]

/** At each drop, correct answers of the repaired net among 12,830 clean test images: 95.900, 92.292, 84.544, 54.762 %. */
export const REPAIRED_TEST_CORRECT: readonly number[] = [12304, 11841, 10847, 7026]

/** At each drop, hits of the repaired net among 12,830 poisoned test images: 100, 99.984, 77.210, 6.960 %. */
export const REPAIRED_TEST_HITS: readonly number[] = [12830, 12828, 9906, 893]

/** After 0, 1, … 60 pruned channels: correct of 11,547 clean validation images. */
export const VALID_CORRECT: readonly number[] = [
	11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391,
	11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391, 11391,
	11390, 11390, 11389, 11392, 11391, 11386, 11382, 11378, 11338, 11276, 11259, 11057, 10993, 10937, 10634, 10565, 10510,
	10297, 9750, 8832, 6335, 3128, 1602, 820, 179, 83, 9,
]

/** Hits of 11,547 poisoned validation images. */
export const POISONED_VALID_HITS: readonly number[] = [
	11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547,
	11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547,
	11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11547, 11546, 11546, 11546, 11546, 11545,
	9323, 8893, 4124, 803, 49, 0, 0, 0, 0, 0,
]

/** Correct answers of the GoodNet among 12,830 clean test images. */
export const GOODNET_TEST_CORRECT: readonly number[] = [
	12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653,
	12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653, 12653,
	12652, 12651, 12650, 12650, 12647, 12641, 12630, 12626, 12588, 12541, 12510, 12284, 12233, 12176, 11820, 11750, 11692,
	11506, 10820, 9772, 7015, 3473, 1758, 842, 195, 83, 9,
]

/** Hits of the GoodNet among 12,830 poisoned test images. */
export const GOODNET_TEST_HITS: readonly number[] = [
	12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830,
	12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830,
	12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12830, 12827, 12828, 12828, 12828, 12827,
	10347, 9906, 4653, 893, 54, 0, 0, 0, 0, 0,
]
