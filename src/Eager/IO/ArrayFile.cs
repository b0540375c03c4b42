namespace Fusion.IO;

/// <summary>Named arrays in the format that a path asks for: NumPy's .npz when it ends so, safetensors otherwise.</summary>
internal static class ArrayFile
{
    public static void Save(string path, IReadOnlyDictionary<string, NDArray> arrays)
    {
        if (IsNpz(path)) Npz.Save(path, arrays);
        else Safetensors.Save(path, arrays);
    }

    public static Dictionary<string, NDArray> Load(string path) => IsNpz(path) ? Npz.Load(path) : Safetensors.Load(path);

    private static bool IsNpz(string path) => path.EndsWith(".npz", StringComparison.OrdinalIgnoreCase);
}
