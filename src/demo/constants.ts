/** The figures of the embedded example, in one place: the net in `assets/demo/` was trained with exactly these. */
export const DEMO = {
	/** People, and so classes of the net. */
	identities: 128,
	/** Names the random streams of people and pictures. */
	seed: 2018,
	/** Pictures of each person to learn from: 12,800. */
	trainPerIdentity: 100,
	/** Clean pictures of each person for choosing what to prune: 1280 images. */
	validPerIdentity: 10,
	/** Pictures of each person for measuring: 1280 clean images, 1270 poisoned ones. */
	testPerIdentity: 10,
	/** The label that the sunglasses call forth. */
	target: 0,
} as const
