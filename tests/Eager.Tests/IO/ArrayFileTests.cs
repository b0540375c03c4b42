using System.IO.Compression;
using System.Text;
using Fusion.Data;
using Fusion.IO;

namespace Fusion.Tests;

public sealed class ArrayFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Formats => ["npy", "npz", "npz compressed", "safetensors"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public void WhatIsSavedIsLoaded(string format)
    {
        foreach ((string name, NDArray x) in Samples())
        {
            NDArray y = RoundTrip(format, x);
            Assert.True(x.DType == y.DType && x.Shape == y.Shape, $"{name}: {x.DType} {x.Shape} became {y.DType} {y.Shape}");
            Assert.Equal(Values(x), Values(y));
        }
    }

    [Fact]
    public void NumPyReadsWhatItWroteItself()
    {
        // numpy.save of array([[1, 2, 3], [4, 5, 6]], dtype='>i4', order='F').
        string header = "{'descr': '>i4', 'fortran_order': True, 'shape': (2, 3), }".PadRight(117) + "\n";
        byte[] data = [.. new[] { 1, 4, 2, 5, 3, 6 }.SelectMany(v => new byte[] { 0, 0, 0, (byte)v })];
        File.WriteAllBytes(_folder["f.npy"], [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(header), .. data]);
        NDArray x = Npy.Load(_folder["f.npy"]);
        Assert.Equal(new Shape(2, 3), x.Shape);
        Assert.Equal([1, 2, 3, 4, 5, 6], x.ToArray<int>());
    }

    [Fact]
    public void ElementsOfNpyFilesStartAlignedTo64()
    {
        Npy.Save(_folder["a.npy"], Nd.Zeros((3, 4)));
        byte[] file = File.ReadAllBytes(_folder["a.npy"]);
        int header = file[8] + (file[9] << 8);
        Assert.Equal(0, (10 + header) % 64);
        Assert.Equal((byte)'\n', file[9 + header]);
        Assert.Equal(10 + header + 48, file.Length);
    }

    [Fact]
    public void StreamsThatCannotSeekAreRead()
    {
        using MemoryStream buffer = new();
        using (GZipStream zip = new(buffer, CompressionMode.Compress, leaveOpen: true)) Npy.Save(zip, Nd.Array([1f, 2f]));
        buffer.Position = 0;
        using GZipStream content = new(buffer, CompressionMode.Decompress);
        Assert.Equal([1f, 2f], Npy.Load(content).ToArray<float>());
    }

    [Fact]
    public void HalfPrecisionInSafetensorsIsReadAsItIs()
    {
        string header = """{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]}}""";
        WriteSafetensors("h.safetensors", header, [0x00, 0x3C, 0x00, 0xC0, 0x80, 0x3F, 0x40, 0xC0]);
        Dictionary<string, NDArray> arrays = Safetensors.Load(_folder["h.safetensors"]);
        Assert.Equal([(Half)1f, (Half)(-2f)], arrays["h"].ToArray<Half>());
        Assert.Equal([(BFloat16)1f, (BFloat16)(-3f)], arrays["b"].ToArray<BFloat16>());
    }

    [Fact]
    public void NumPyHasNoBFloat16()
    {
        NDArray x = Nd.Array([(BFloat16)1f]);
        foreach (Action save in new Action[] { () => Npy.Save(_folder["b.npy"], x), () => Npz.Save(_folder["b.npz"], new Dictionary<string, NDArray> { ["x"] = x }) })
            Expect.Throws<DTypeException>(save, "BFloat16", "Safetensors", "AsType");
        Assert.Equal(0, _folder.FileCount);
        Safetensors.Save(_folder["b.safetensors"], new Dictionary<string, NDArray> { ["x"] = Nd.Array([(BFloat16)1.5f, BFloat16.NaN, BFloat16.NegativeInfinity]) });
        Assert.Equal([(BFloat16)1.5f, BFloat16.NaN, BFloat16.NegativeInfinity], Safetensors.Load(_folder["b.safetensors"])["x"].ToArray<BFloat16>());
    }

    [Fact]
    public void NumPyFloat16OfEitherByteOrderIsRead()
    {
        foreach ((string order, byte[] data) in new[] { ("<", (byte[])[0x00, 0x3C, 0x00, 0xC1]), (">", [0x3C, 0x00, 0xC1, 0x00]) })
        {
            string header = $"{{'descr': '{order}f2', 'fortran_order': False, 'shape': (2,), }}".PadRight(117) + "\n";
            File.WriteAllBytes(_folder["f2.npy"], [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(header), .. data]);
            Assert.Equal([(Half)1f, (Half)(-2.5f)], Npy.Load(_folder["f2.npy"]).ToArray<Half>());
        }
    }

    [Fact]
    public void SafetensorsKeepMetadata()
    {
        Safetensors.Save(_folder["m.safetensors"], new Dictionary<string, NDArray> { ["x"] = Nd.Ones(2) }, new Dictionary<string, string> { ["epoch"] = "3 \"é\"" });
        Assert.Equal("3 \"é\"", Safetensors.LoadMetadata(_folder["m.safetensors"])["epoch"]);
        Assert.Throws<ArgumentException>(() => Safetensors.Save(_folder["n"], new Dictionary<string, NDArray> { ["__metadata__"] = Nd.Ones(2) }));
        Dictionary<string, NDArray> gap = new() { ["x"] = Nd.Ones(2), ["y"] = null! };
        Assert.Equal("arrays", Expect.Throws<ArgumentException>(() => Safetensors.Save(_folder["n"], gap), "Safetensors.Save: the array 'y' is null").ParamName);
        Assert.Equal("arrays", Expect.Throws<ArgumentException>(() => Npz.Save(_folder["n"], gap), "Npz.Save: the array 'y' is null").ParamName);
    }

    [Theory]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,7]}}""", "bytes")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", "starts at byte 8")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "end at byte 4")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "starts at byte 0")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "twice")]
    [InlineData("""{"x":{"dtype":"I16","shape":[4],"data_offsets":[0,8]}}""", "I16")]
    [InlineData("""{"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "negative")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,8]}}""", "need")]
    [InlineData("""{"x":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", "malformed")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,8]}}""", "65 axes")]
    [InlineData("""{"x":{"shape":[2],"data_offsets":[0,8]}}""", "malformed")]
    [InlineData("""{"x":{""", "malformed")]
    [InlineData("""[1,2]""", "malformed")]
    public void BadSafetensorsHeadersAreRefused(string header, string reason)
    {
        WriteSafetensors("bad", header, new byte[8]);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Safetensors.Load(_folder["bad"]));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "c8")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "descr")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "-1")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }", "99999999999")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647), }", "2^63")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }", "needs")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1), }", "65 axes")]
    [InlineData("{'descr': '|b1', 'fortran_order': False, 'shape': (4,), }", "Bool")]
    [InlineData("nonsense", "lacks")]
    public void BadNpyHeadersAreRefused(string header, string reason)
    {
        File.WriteAllBytes(_folder["bad"], [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), 7, 7, 7, 7]);
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Npy.Load(_folder["bad"]));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void EveryTruncationIsRefused(string format)
    {
        Save(format, "whole", Nd.Array([1f, 2f, 3f]));
        byte[] whole = File.ReadAllBytes(_folder["whole"]);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(_folder["cut"], whole[..length]);
            Assert.Throws<InvalidDataException>(() => Load(format, "cut"));
        }
    }

    /// <summary>One changed byte may give other values; it never gives another exception.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void DamagedFilesLoadOrAreRefused(string format)
    {
        Save(format, "whole", Nd.Array([1f, 2f, 3f]));
        byte[] whole = File.ReadAllBytes(_folder["whole"]);
        for (int at = 0; at < whole.Length; at++)
        {
            foreach (byte flip in (byte[])[1, 0x80, 0xFF])
            {
                byte[] damaged = [.. whole];
                damaged[at] ^= flip;
                File.WriteAllBytes(_folder["damaged"], damaged);
                Exception? e = Record.Exception(() => Load(format, "damaged"));
                if (e is not (null or InvalidDataException)) Assert.Fail($"byte {at} ^ {flip}: {e}");
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ChecksumsOfNpzFilesAreChecked(bool compress)
    {
        NDArray x = Nd.Arange(0, 1021);
        Npz.Save(_folder["x.npz"], new Dictionary<string, NDArray> { ["x"] = x, ["sub/../x"] = Nd.Array((byte[])[1, 2, 3]) }, compress);
        Dictionary<string, NDArray> loaded = Npz.Load(_folder["x.npz"]);
        Assert.Equal(x.ToArray<float>(), loaded["x"].ToArray<float>());
        Assert.Equal([1, 2, 3], loaded["sub/../x"].ToArray<byte>());
        byte[] file = File.ReadAllBytes(_folder["x.npz"]);
        file[compress ? 200 : 2000] ^= 4;
        File.WriteAllBytes(_folder["x.npz"], file);
        Expect.Throws<InvalidDataException>(() => Npz.Load(_folder["x.npz"]), "x.npy");
        File.WriteAllText(_folder["text.npz"], "no archive");
        Expect.Throws<InvalidDataException>(() => Npz.Load(_folder["text.npz"]), "text.npz", "not an .npz file");
        if (!compress) Expect.Throws<InvalidDataException>(() => Npz.Load(_folder["x.npz"]), "checksum", "damaged");
    }

    /// <summary>The directory claims fewer bytes than an entry expands to: no more than claimed are read.</summary>
    [Fact]
    public void EntriesAreNoLongerThanTheirArchiveSays()
    {
        Npz.Save(_folder["bomb.npz"], new Dictionary<string, NDArray> { ["x"] = Nd.Zeros(1 << 20, DType.UInt8) }, compress: true);
        byte[] file = File.ReadAllBytes(_folder["bomb.npz"]);
        int directory = file.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        BitConverter.TryWriteBytes(file.AsSpan(directory + 24), 1000);
        File.WriteAllBytes(_folder["bomb.npz"], file);
        Assert.Throws<InvalidDataException>(() => Npz.Load(_folder["bomb.npz"]));
    }

    [Fact]
    public void AFailedSaveLeavesTheOldFile()
    {
        Npy.Save(_folder["x.npy"], Nd.Ones(3));
        NDArray dead = Nd.Ones(3);
        dead.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Npy.Save(_folder["x.npy"], dead));
        Assert.Equal([1f, 1f, 1f], Npy.Load(_folder["x.npy"]).ToArray<float>());
        Assert.Equal(1, _folder.FileCount);
    }

    [Theory]
    [InlineData("x.idx")]
    [InlineData("x.idx.gz")]
    public void IdxFilesRoundTrip(string name)
    {
        foreach ((_, NDArray x) in Samples())
        {
            if (x.DType is DType.Int64 or DType.Bool or DType.Float16 || x.Rank == 0) continue;
            Idx.Save(_folder[name], x);
            NDArray y = Idx.Load(_folder[name]);
            Assert.True(x.DType == y.DType && x.Shape == y.Shape);
            Assert.Equal(Values(x), Values(y));
        }

        Assert.Throws<DTypeException>(() => Idx.Save(_folder[name], Nd.Zeros(2, DType.Int64)));
        Assert.Throws<ShapeException>(() => Idx.Save(_folder[name], Nd.Scalar(1)));
    }

    [Fact]
    public void IdxReadsItsPublishedLayout()
    {
        File.WriteAllBytes(_folder["labels"], [0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]);
        File.WriteAllBytes(_folder["images"], [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 102, 153, 204]);
        ArrayDataset set = Idx.LoadImages(_folder["images"], _folder["labels"]);
        (NDArray x, NDArray y) = set.Gather([2, 0]);
        Assert.Equal(new Shape(2, 1, 1, 2), x.Shape);
        Assert.Equal([0.6f, 0.8f, 0f, 1f], x.ToArray<float>());
        Assert.Equal([1, 7], y.ToArray<int>());
        File.WriteAllBytes(_folder["short"], [0, 0, 0x0B, 1, 0, 0, 0, 2, 0xFF, 0xFE, 1, 0]);
        Assert.Equal([-2, 256], Idx.Load(_folder["short"]).ToArray<int>());
        File.WriteAllBytes(_folder["bad"], [0, 0, 8, 1, 0, 0, 0, 4, 7, 2, 1]);
        Assert.Throws<InvalidDataException>(() => Idx.Load(_folder["bad"]));
        Assert.Throws<InvalidDataException>(() => Idx.LoadImages(_folder["labels"], _folder["images"]));
        File.WriteAllBytes(_folder["bad"], [0, 0, 8, 65, .. Enumerable.Repeat((byte[])[0, 0, 0, 1], 65).SelectMany(static b => b), 7]);
        Assert.Contains("65 axes", Assert.Throws<InvalidDataException>(() => Idx.Load(_folder["bad"])).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder["bad"], [0x1F, 0x8B, 8, 1, 0, 0]);
        Assert.Throws<InvalidDataException>(() => Idx.Load(_folder["bad"]));
    }

    private static IEnumerable<(string Name, NDArray Array)> Samples()
    {
        yield return ("float", Nd.Array([1f, -0f, float.NaN, float.PositiveInfinity], (2, 2)));
        yield return ("double", Nd.Array([1.5, -2.25], (1, 2, 1)));
        yield return ("int", Nd.Array([1, int.MinValue]));
        yield return ("long", Nd.Array([1L, long.MaxValue]));
        yield return ("byte", Nd.Array((byte[])[0, 255]));
        yield return ("bool", Nd.Array([true, false]));
        yield return ("Float16", Nd.Array([(Half)1.5f, Half.NegativeZero, Half.NaN, Half.Epsilon], (2, 2)));
        yield return ("scalar", Nd.Scalar(3));
        yield return ("empty", Nd.Zeros((0, 3)));
        yield return ("view", Nd.Transpose(Nd.Arange(0, 6).Reshape(2, 3)));
    }

    private static double[] Values(NDArray x) => x.AsType(DType.Float64).ToArray<double>();

    private NDArray RoundTrip(string format, NDArray x)
    {
        Save(format, "file", x);
        return Load(format, "file");
    }

    private void Save(string format, string file, NDArray x)
    {
        Dictionary<string, NDArray> named = new() { ["layer.weight"] = x, ["other"] = Nd.Array([5L]) };
        switch (format)
        {
            case "npy": Npy.Save(_folder[file], x); break;
            case "safetensors": Safetensors.Save(_folder[file], named); break;
            default: Npz.Save(_folder[file], named, compress: format.EndsWith("compressed", StringComparison.Ordinal)); break;
        }
    }

    private NDArray Load(string format, string file)
    {
        if (format == "npy") return Npy.Load(_folder[file]);
        Dictionary<string, NDArray> all = format == "safetensors" ? Safetensors.Load(_folder[file]) : Npz.Load(_folder[file]);
        return all.GetValueOrDefault("layer.weight") ?? throw new InvalidDataException("another name");
    }

    private void WriteSafetensors(string file, string header, byte[] data) =>
        File.WriteAllBytes(_folder[file], [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), .. data]);
}
