namespace Fusion.Kernels;

/// <summary>Four values that one thread makes: words of the stream, or elements.</summary>
internal readonly struct DeviceQuartet<T>(T a, T b, T c, T d)
    where T : unmanaged
{
    public readonly T A = a;
    public readonly T B = b;
    public readonly T C = c;
    public readonly T D = d;
}

/// <summary><see cref="Philox"/> in device code: the same words.</summary>
internal static class DevicePhilox
{
    private const uint M0 = 0xD2511F53, M1 = 0xCD9E8D57, W0 = 0x9E3779B9, W1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>The four words of a block of a stream.</summary>
    public static DeviceQuartet<uint> Block(ulong key, ulong block)
    {
        uint c0 = (uint)block, c1 = (uint)(block >> 32), c2 = 0, c3 = 0;
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            uint high0 = DeviceMath.MultiplyHigh(M0, c0), low0 = M0 * c0, high1 = DeviceMath.MultiplyHigh(M1, c2), low1 = M1 * c2;
            c0 = high1 ^ c1 ^ k0;
            c1 = low1;
            c2 = high0 ^ c3 ^ k1;
            c3 = low0;
            k0 += W0;
            k1 += W1;
        }

        return new DeviceQuartet<uint>(c0, c1, c2, c3);
    }
}
