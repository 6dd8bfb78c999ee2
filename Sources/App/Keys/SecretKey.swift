/// A new API key.
enum SecretKey {
    /// 40 letters and digits after a prefix that scanners for leaked secrets can look for: 238 random bits.
    static func make() -> String {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        return "neap-" + String((0..<40).map { _ in alphabet[Int.random(in: alphabet.indices, using: &random)] })
    }
}
