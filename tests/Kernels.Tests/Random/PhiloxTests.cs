using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(KernelModes.Name)]
public sealed unsafe class PhiloxTests
{
    /// <summary>The known answers of Random123 (file kat_vectors, philox4x32 10).</summary>
    [Fact]
    public void KnownAnswers()
    {
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Block((0, 0, 0, 0), (0, 0)));
        Assert.Equal(
            (0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu),
            Philox.Block((uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue), (uint.MaxValue, uint.MaxValue)));
        Assert.Equal(
            (0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u),
            Philox.Block((0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344), (0xa4093822, 0x299f31d0)));
    }

    [Theory]
    [InlineData(0ul, 0ul)]
    [InlineData(0x299f31d0a4093822ul, 12345ul)]
    [InlineData(ulong.MaxValue, 0xFFFF_FFF8ul)] // the lower half of the counter overflows inside a register
    [InlineData(7ul, ulong.MaxValue - 20)] // the counter wraps
    public void VectorsAgreeWithTheDefinition(ulong key, ulong first)
    {
        const int groups = 3;
        uint[] words = new uint[groups * Philox.GroupWords];
        KernelModes.ForEach(() =>
        {
            fixed (uint* p = words) Philox.Fill(key, first, p, groups);
            for (int b = 0; b < groups * Philox.GroupBlocks; b++)
            {
                ulong counter = unchecked(first + (ulong)b);
                (uint w0, uint w1, uint w2, uint w3) = Philox.Block(((uint)counter, (uint)(counter >> 32), 0, 0), ((uint)key, (uint)(key >> 32)));
                int at = (b / Philox.GroupBlocks * Philox.GroupWords) + (b % Philox.GroupBlocks);
                Assert.Equal((w0, w1, w2, w3), (words[at], words[at + 16], words[at + 32], words[at + 48]));
            }
        });
    }
}
