using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>How the tiles of a batch of products, and the pieces of their depth, are dealt to groups.</summary>
/// <param name="TileRows">Tiles along the rows.</param>
/// <param name="TileColumns">Tiles along the columns.</param>
/// <param name="Splits">Pieces of the depth; with more than one the target has Splits results for each matrix of the batch.</param>
/// <param name="Piece">The depth of a piece, a multiple of 16.</param>
/// <param name="Depth">The inner dimension.</param>
internal readonly record struct TileGrid(int TileRows, int TileColumns, int Splits, int Piece, int Depth)
{
    // Groups that run at the same time walk down the columns of a band of so many rows of tiles, so that they share what they read in the L2 cache.
    private const int Band = 8;

    /// <summary>The number of a group, taken apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TilePlace Place(int group, int edge)
    {
        int tiles = TileRows * TileColumns, result = group / tiles, tile = group - result * tiles;
        int batch = result / Splits, split = result - batch * Splits;
        int bandTiles = Band * TileColumns, band = tile / bandTiles, inBand = tile - band * bandTiles;
        int height = TileRows - band * Band;
        height = height < Band ? height : Band;
        int column = inBand / height, row = band * Band + inBand - column * height, end = split * Piece + Piece;
        end = end < Depth ? end : Depth;
        return new TilePlace { Batch = batch, Result = result, Row = row * edge, Column = column * edge, Start = split * Piece, End = end };
    }
}

/// <summary>One tile and one piece of the depth.</summary>
internal struct TilePlace
{
    public int Batch;

    /// <summary>The matrix of the target: that of the batch, or a piece of it.</summary>
    public int Result;

    public int Row;
    public int Column;
    public int Start;
    public int End;
}
