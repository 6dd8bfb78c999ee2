/// A rolling digest of a whole token context: one multiplication per token.
///
/// The next token and the hash of each KV block are functions of it, so a lost, added or re-cut token changes all
/// that follows.
package struct TokenChain: Hashable, Sendable {
    package private(set) var digest: UInt64
    /// The newest token; `Token.none` at the start.
    package private(set) var last: Int32

    /// An empty context. Different seeds (a model, an adapter) give unrelated chains.
    package init(seed: UInt64) {
        digest = fold(seed ^ 0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03)
        last = Token.none
    }

    package mutating func append(_ token: Int32) {
        digest = fold(digest ^ 0xa076_1d64_78bd_642f, (UInt64(UInt32(bitPattern: token)) &+ 1) &* 0xe703_7ed1_a0b4_28db)
        last = token
    }

    /// Hash of the KV block that ends here. The salt keeps tenants' blocks apart without changing answers.
    package func blockHash(salt: UInt64) -> UInt64 { fold(digest ^ salt, 0x8ebc_6af0_9c88_c6e3) }
}

/// Folds the 128-bit product of two words into one: the mixing step of the wyhash family.
@inline(__always)
func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
}

/// A stable 64-bit digest of a text, for seeds and salts.
package func textDigest(_ text: String, seed: UInt64 = 0) -> UInt64 {
    var digest = fold(seed ^ 0x2d35_8dcc_aa6c_78a5, 0x8bb8_4b93_962e_acc9)
    for byte in text.utf8 { digest = fold(digest ^ 0xa076_1d64_78bd_642f, UInt64(byte) &+ 0xe703_7ed1_a0b4_28db) }
    return digest
}
