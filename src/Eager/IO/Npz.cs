using System.IO.Compression;

namespace Fusion.IO;

/// <summary>Named arrays in one file, as <c>numpy.savez</c> and <c>numpy.load</c> write and read them: a zip archive of .npy files.</summary>
public static class Npz
{
    // No valid deflate stream expands more.
    private const long MaxDeflateRatio = 1032;

    /// <summary>Writes arrays to a file, replacing it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="arrays">The arrays by name.</param>
    /// <param name="compress">Deflate the elements (<c>numpy.savez_compressed</c>).</param>
    /// <exception cref="ArgumentException">An array is null.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, NDArray> arrays, bool compress = false)
    {
        Npy.CheckReadable(arrays, nameof(Npz));
        ArrayStream.Replace(path, stream =>
        {
            using ZipArchive archive = new(stream, ZipArchiveMode.Create);
            foreach ((string name, NDArray array) in arrays)
            {
                using Stream entry = archive.CreateEntry(name + ".npy", compress ? CompressionLevel.Optimal : CompressionLevel.NoCompression).Open();
                Npy.Save(entry, array);
            }
        });
    }

    /// <summary>Reads all arrays of a file.</summary>
    /// <exception cref="InvalidDataException">The file is not an archive of valid .npy files, a name occurs twice, or a checksum is wrong.</exception>
    public static Dictionary<string, NDArray> Load(string path)
    {
        using FileStream stream = File.OpenRead(path);
        using ZipArchive archive = Open(stream, path);
        Dictionary<string, NDArray> arrays = [];
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            string what = $"{path}, entry '{entry.FullName}'";
            if (!entry.FullName.EndsWith(".npy", StringComparison.Ordinal)) throw new InvalidDataException($"{what}: not an .npy file.");
            if (entry.Length > entry.CompressedLength * MaxDeflateRatio + 1024)
                throw new InvalidDataException($"{what}: the archive claims {entry.Length} bytes of {entry.CompressedLength}.");
            using ZipEntryStream content = new(entry, what);
            if (!arrays.TryAdd(entry.FullName[..^4], Npy.Load(content, what))) throw new InvalidDataException($"{what}: the name occurs twice.");
            content.CheckRest();
        }

        return arrays;
    }

    private static ZipArchive Open(FileStream stream, string path)
    {
        try
        {
            return new ZipArchive(stream, ZipArchiveMode.Read);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: not an .npz file: {e.Message}", e);
        }
    }
}
